"""Becomes another account and runs a program as it.

``python -I -m kore.host.enter UID HOME FOLDER PROGRAM ARGUMENT...``, run by root. Where the
account could not reach its home or this Python, because a folder above them is root's alone,
the program gets a mount namespace in which that folder holds only these.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kore.host import mounts, processes

_OPEN_UMASK, _PRIVATE_UMASK = 0o022, 0o077


def main() -> None:
    """Become the account, then the program."""
    number, home, folder, *argv = sys.argv[1:]
    uid, hub = int(number), os.getppid()
    if uid == 0:
        sys.exit("root is not the account of a person")
    try:
        # Every account has to traverse the folders that lead to what stays visible.
        os.umask(_OPEN_UMASK)
        mounts.make_reachable([*mounts.python_folders(), Path(home)])
        processes.become_account(uid)
        processes.end_with_parent(hub)
        os.umask(_PRIVATE_UMASK)
        os.chdir(folder)
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        sys.exit(f"Account {uid} cannot run {argv[0]}: {error.strerror}: {error.filename or ''}")


if __name__ == "__main__":
    main()
