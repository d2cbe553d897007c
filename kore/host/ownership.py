"""Gives files from one account to another. No link is followed on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kore.host.account_numbers import Account
from kore.host.errors import HostError


def give_tree(home: Path, account: Account, *, from_uid: int) -> None:
    """Give a folder's content, as far as it belongs to ``from_uid``, to an account.

    A file with a second name elsewhere is left alone: it may not be a file of this folder.
    Raises HostError.
    """
    try:
        with _open_folder(home) as descriptor:
            _give_folder(descriptor, account, from_uid)
    except OSError as error:
        raise HostError(f"cannot give {home} to its account: {error.strerror}") from error


def give_file(root: Path, path: str, account: Account) -> None:
    """Give one file below a folder to an account; ``path`` is relative. Raises OSError."""
    *folders, name = path.split("/")
    with ExitStack() as stack:
        descriptor = stack.enter_context(_open_folder(root))
        for folder in folders:
            descriptor = stack.enter_context(_open_folder(folder, descriptor))
        os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)


def _give_folder(folder: int, account: Account, from_uid: int) -> None:
    if os.fstat(folder).st_uid == from_uid:
        os.fchown(folder, account.uid, account.gid)
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                with _open_folder(entry.name, folder) as inner:
                    _give_folder(inner, account, from_uid)
            elif found.st_uid == from_uid and found.st_nlink == 1:
                os.chown(entry.name, account.uid, account.gid, dir_fd=folder, follow_symlinks=False)


@contextmanager
def _open_folder(path: str | Path, above: int | None = None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
