"""One command at a time changes a container: a lock for each container of this account."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ananke.context import CommandContext
from ananke.errors import AnankeError, Exit

_MAX_BYTES = 200


@contextmanager
def lock_container(context: CommandContext, name: str, command: str) -> Iterator[None]:
    """Hold a container's lock; raises AnankeError if another command holds it.

    ``command`` is what the other command is told. A dry run changes nothing and needs no lock.
    The kernel releases the lock when the process ends, however that happens.
    """
    if context.dry_run or name in context.locked:
        yield
        return
    path = _find_folder() / f"{name}.lock"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AnankeError(
            Exit.HOST,
            f"Could not write {path}: {error.strerror}.",
            "Check who owns the folder, and that the disk is not full.",
        ) from error
    try:
        _lock(descriptor, name)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"ananke {command} (process {os.getpid()})".encode("ascii"), 0)
        context.locked.add(name)
        yield
    finally:
        context.locked.discard(name)
        os.close(descriptor)


def _lock(descriptor: int, name: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _MAX_BYTES, 0).decode("ascii", "replace")
        raise AnankeError(
            Exit.STATE_IN_USE,
            f"{holder or 'Another command'} is working on {name}.",
            "Wait until it has ended, and try again.",
        ) from error


def _find_folder() -> Path:
    """Return the folder of locks: of the account, as the containers' units are."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG standard says to ignore relative paths.
    root = Path(base) if Path(base).is_absolute() else Path("~/.local/state").expanduser()
    return root / "ananke" / "locks"
