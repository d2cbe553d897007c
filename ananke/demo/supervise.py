"""Runs a program with its output in a log, and ends it with the process that started it.

``python -m ananke.demo.supervise LOG PROGRAM ARGUMENT...``. The hub starts its proxy and its
services this way: they do not write into the hub's log, and do not outlive a killed hub.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kore.host import processes


def main() -> None:
    """Replace this process with the program."""
    log, *argv = sys.argv[1:]
    processes.end_with_parent(os.getppid())
    output = os.open(Path(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.execvp(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main()
