"""Disks: how much is free, and the error for a full one, which names it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from ananke.errors import AnankeError, Exit

GB = 10**9
LOW_BYTES, MIN_BYTES = 20 * GB, 3 * GB


def is_full(error: OSError) -> bool:
    """Whether an operation failed because the disk, or one's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def find_mount_point(path: Path) -> Path:
    """Return where the disk that holds a path is mounted; the path need not exist."""
    path = path.absolute()
    while not (path.exists() and os.path.ismount(path)) and path != path.parent:
        path = path.parent
    return path


def read_free_bytes(path: Path) -> int:
    """Return the free space of the disk that holds a path; raises OSError."""
    return shutil.disk_usage(path).free


def make_full_error(path: Path) -> AnankeError:
    """Return the error for a disk that was full when ``path`` was written."""
    disk = find_mount_point(path)
    return AnankeError(
        Exit.HOST,
        f"The disk is full: {disk}, which holds {path}.",
        f"Free some space there (df -h {disk} shows how much is left), or choose a place on "
        "another disk.",
    )
