"""Opening folders by descriptor without following links, while others may change them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ananke.errors import AnankeError, Exit

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
NOT_A_FOLDER = (errno.ELOOP, errno.ENOTDIR)
"""Errors of opening a folder that is a link or a file."""


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """Yield a descriptor of a folder."""
    descriptor = os.open(folder, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def open_subfolder(root: int, path: str, *, make: bool = False) -> Iterator[int]:
    """Yield a descriptor of a folder below ``root``, reached without following a link.

    With ``make``, missing folders are made, and a link in the way raises AnankeError; without
    it, OSError.
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
                if make and error.errno in NOT_A_FOLDER:
                    raise make_damage_error(
                        f"{path!r} leads through something that is not a folder"
                    ) from None
                raise
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def make_damage_error(reason: str) -> AnankeError:
    """Return the error for an archive that cannot be trusted."""
    return AnankeError(
        Exit.CHECKSUM,
        f"The backup is damaged, or someone has tampered with it: {reason}.",
        "Nothing was restored. Get another copy of it.",
    )
