"""What a full disk is to the person who asked: one error, wherever the room ran out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from kore.service.errors import DiskFull

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def reporting_disk_full() -> Iterator[None]:
    """Raise DiskFull where the block fails because a disk, or the database's, is full."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull("disk_full") from error
        raise
    except OperationalError as error:
        if "full" in str(error.orig):
            raise DiskFull("disk_full") from error
        raise
