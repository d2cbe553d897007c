"""Runs a program with its output in a log, tied to the life of the process that starts it.

``python -m ananke.demo.tether LOG PROGRAM ARGUMENT...``. The hub starts its proxy and its
services so: they neither write into the hub's log nor outlive a hub that is killed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kore.host import processes


def main() -> None:
    """Become the program."""
    log, *argv = sys.argv[1:]
    processes.end_with_parent(os.getppid())
    output = os.open(Path(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.execvp(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main()
