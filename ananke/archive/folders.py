"""Reaching folders by descriptor, through no link, while others may change what is there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ananke.errors import AnankeError, Exit

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
IS_A_LINK = (errno.ELOOP, errno.ENOTDIR)
"""What Linux says of a folder to be opened that is a link, or a file."""


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """Yield a descriptor of a folder."""
    descriptor = os.open(folder, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def walked(root: int, path: str, *, make: bool = False) -> Iterator[int]:
    """Yield a descriptor of a folder below ``root``, reached through no link.

    With ``make``, missing folders are made, and AnankeError says that a link is in the way;
    otherwise OSError does.
    """
    current = os.dup(root)
    try:
        for part in PurePosixPath(path).parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=current)
            try:
                below = os.open(part, FOLDER, dir_fd=current)
            except OSError as error:
                if make and error.errno in IS_A_LINK:
                    raise damaged(f"{path!r} leads through what is no folder") from None
                raise
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def damaged(words: str) -> AnankeError:
    """Return the error for an archive that cannot be trusted."""
    return AnankeError(
        Exit.CHECKSUM,
        f"The backup is damaged, or was tampered with: {words}.",
        "Nothing was restored. Take another copy of it.",
    )
