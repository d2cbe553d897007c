"""Accounts for one program each: borrowed, used, and cleared of all that ran as them."""

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

from kore.host import HostError
from kore.host.processes import become_account

# Between those of people (kore.host.account_numbers) and systemd's dynamic ones, systemd.exec(5).
_FIRST, _LAST = 60_000, 60_999
_LOCKS = Path("/run/ananke-executions")
_CLEARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108
_END_SECONDS = 10


@contextmanager
def borrow_account() -> Iterator[tuple[int, Path]]:
    """Yield the UID of an account that nothing on this machine uses, and a folder of its own.

    At the end its processes are killed and its files removed. Raises HostError.
    """
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    uid, lock = _lock_free_account()
    try:
        # An earlier run that was killed may have left something.
        _clear(uid)
        folder = Path(tempfile.mkdtemp(prefix="ananke-run-"))
        try:
            os.chown(folder, uid, uid)
            yield uid, folder
        finally:
            _clear(uid)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def sandbox_command(uid: int, folder: Path, *argv: str) -> list[str]:
    """Return the command that runs a program as an account, in a sandbox."""
    return [sys.executable, "-I", "-m", "kore.executor.sandbox", str(uid), str(folder), *argv]


def _lock_free_account() -> tuple[int, int]:
    for uid in range(_FIRST, _LAST + 1):
        lock = os.open(_LOCKS / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return uid, lock
    raise HostError("all accounts for executions are in use")


def _clear(uid: int) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while _has_processes(uid):
        if time.monotonic() > deadline:
            raise HostError(f"cannot end the processes of account {uid}")
        _kill_all(uid)
    for folder in _CLEARED_FOLDERS:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid != uid:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        Path(entry.path).unlink()


def _has_processes(uid: int) -> bool:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                # Zombies cannot be killed.
                state = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
                if path.stat().st_uid == uid and state not in "ZX":
                    return True
    return False


def _kill_all(uid: int) -> None:
    """Kill all processes of an account at once, as that account: none can start another."""
    child = os.fork()
    if child == 0:
        try:
            become_account(uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
