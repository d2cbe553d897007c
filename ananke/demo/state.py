"""The state directory: its layout, its owner, and a lock so that one demo at a time uses it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from ananke.errors import AnankeError, Exit

_PRIVATE = 0o700
_TRAVERSABLE = 0o711
_MAX_LOG_BYTES = 10 * 1024 * 1024
_LOCK = "demo.lock"
_ADDRESSES = "addresses.json"


def get_default_state_dir() -> Path:
    """Return the state directory of a demo by default: ``$XDG_STATE_HOME/ananke/demo``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The XDG standard says to ignore relative paths.
    root = Path(base) if Path(base).is_absolute() else Path("~/.local/state").expanduser()
    return root / "ananke" / "demo"


def read_addresses_in_use(path: Path) -> list[str]:
    """Return the URLs of the demo that runs on a state directory; empty if none does."""
    try:
        with (path.expanduser() / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with suppress(OSError, ValueError):
            found = json.loads((path.expanduser() / _ADDRESSES).read_text("utf-8"))
            return [str(url) for url in found]
    except OSError:
        pass
    return []


class StateDirectory:
    """A state directory, locked until it is closed or the process ends.

    Raises AnankeError if the directory cannot be made, is not writable, holds other files,
    belongs to someone else, or is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = _prepare_directory(path)
        self._lock = _lock_directory(self.path)
        for folder in (self.hub, self.kore, self.homes, self.exchange, self.lms, self.logs):
            folder.mkdir(mode=_PRIVATE, exist_ok=True)

    @property
    def hub(self) -> Path:
        """The hub's database, cookie secret and tokens."""
        return self.path / "hub"

    @property
    def kore(self) -> Path:
        """Kore's database and keys."""
        return self.path / "kore"

    @property
    def homes(self) -> Path:
        """The homes of people and courses."""
        return self.path / "homes"

    @property
    def exchange(self) -> Path:
        """Released assignments, submissions and feedback, as Kore keeps them."""
        return self.path / "exchange"

    @property
    def accounts(self) -> Path:
        """Which Unix account belongs to which person, if each person has one."""
        return self.path / "accounts"

    def allow_traversal(self) -> None:
        """Let other accounts reach their homes; everything else stays closed to them."""
        self.path.chmod(_TRAVERSABLE)
        for folder in (self.hub, self.kore, self.exchange, self.lms, self.logs):
            folder.chmod(_PRIVATE)

    @property
    def lms(self) -> Path:
        """The embedded LMS's database and keys."""
        return self.path / "lms"

    @property
    def logs(self) -> Path:
        """One log for each program and each single-user server."""
        return self.path / "logs"

    def rotate_log(self, name: str) -> Path:
        """Return the path of a program's log; a long log is renamed first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def write_addresses(self, urls: list[str]) -> None:
        """Write where the demo that holds the lock is, for a second one that is refused."""
        (self.path / _ADDRESSES).write_text(json.dumps(urls), "utf-8")

    def close(self) -> None:
        """Release the lock, so that another demo can use the directory."""
        (self.path / _ADDRESSES).unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock, so that another demo can use the directory."""
        self.close()


def _prepare_directory(path: Path) -> Path:
    try:
        path = path.expanduser().resolve()
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        owner = path.stat().st_uid
        foreign = not (path / _LOCK).exists() and any(path.iterdir())
    except FileExistsError:
        raise _make_state_error(path, "is a file, not a directory") from None
    except (OSError, RuntimeError) as error:
        raise _make_state_error(path, _describe_error(error)) from error
    if owner != os.geteuid():
        raise _make_state_error(path, "belongs to another user")
    if foreign:
        raise _make_state_error(path, "holds files that do not belong to a demo")
    return path


def _lock_directory(path: Path) -> int:
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        path.chmod(_PRIVATE)
    except OSError as error:
        raise _make_state_error(path, _describe_error(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise _make_state_error(path, f"cannot be locked ({error.strerror})") from error
        raise AnankeError(
            Exit.STATE_IN_USE,
            f"Another demo (process {holder}) is using {path}.",
            "Stop that demo first, or choose another directory with --state-dir.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _describe_error(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return "is on a read-only file system"
    if isinstance(error, PermissionError):
        return "is not writable for you"
    return (
        f"cannot be used ({error.strerror or error})" if isinstance(error, OSError) else str(error)
    )


def _make_state_error(path: Path, reason: str) -> AnankeError:
    return AnankeError(
        Exit.STATE_UNUSABLE,
        f"The state directory {path} {reason}.",
        "Choose another one with --state-dir: an empty directory, or one that does not exist yet.",
    )
