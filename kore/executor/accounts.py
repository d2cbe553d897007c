"""Accounts for one program each: taken, used, and emptied of all that ran as them."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kore.host import enter
from kore.host.base import HostError

# Between those of people (kore.host.accounts) and systemd's dynamic ones, systemd.exec(5).
_FIRST, _LAST = 60_000, 60_999
_LOCKS = Path("/run/ananke-executions")
_SWEPT = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108
_END_SECONDS = 10


@contextmanager
def taken() -> Iterator[tuple[int, Path]]:
    """Hold an account that nobody on this machine uses; yield it and a folder of its own.

    At the end its processes are killed and its files removed.
    """
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    uid, lock = _free()
    try:
        # One that was killed may have left something.
        _empty(uid)
        folder = Path(tempfile.mkdtemp(prefix="ananke-run-"))
        try:
            os.chown(folder, uid, uid)
            yield uid, folder
        finally:
            _empty(uid)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def command(uid: int, folder: Path, *argv: str) -> list[str]:
    """Return the command that runs a program as an account, apart from everything."""
    return [sys.executable, "-I", "-m", "kore.executor.sandbox", str(uid), str(folder), *argv]


def _free() -> tuple[int, int]:
    for uid in range(_FIRST, _LAST + 1):
        lock = os.open(_LOCKS / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return uid, lock
    raise HostError("All accounts for executions are in use.")


def _empty(uid: int) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while _runs(uid):
        if time.monotonic() > deadline:
            raise HostError(f"Processes of account {uid} cannot be ended.")
        _kill_all_of(uid)
    for place in _SWEPT:
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid != uid:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()


def _runs(uid: int) -> bool:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                # Of the dead that nobody buried yet nothing is left to kill.
                state = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
                if path.stat().st_uid == uid and state not in "ZX":
                    return True
    return False


def _kill_all_of(uid: int) -> None:
    """Kill every process of an account in one go, as it: none can start others meanwhile."""
    child = os.fork()
    if child == 0:
        try:
            enter.become(uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
