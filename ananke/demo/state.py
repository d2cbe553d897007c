"""The state directory: what lies where, whose it is, and that one demo at a time uses it."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Self

from ananke.errors import AnankeError, Exit

_PRIVATE = 0o700
_CROSSED = 0o711
_ROTATE_AT = 10 * 1024 * 1024
_LOCK = "demo.lock"


def default_state_dir() -> Path:
    """Return where a demo keeps its state unless told: ``$XDG_STATE_HOME/ananke/demo``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The standard says that a relative path there is to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path("~/.local/state").expanduser()
    return root / "ananke" / "demo"


class State:
    """An opened state directory, locked until the process ends.

    Raises AnankeError where the directory cannot be made, is not writable, holds
    something else, belongs to someone else, or is in use.
    """

    def __init__(self, path: Path) -> None:
        self.path = _own_directory(path)
        self._lock = _locked(self.path)
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
        """What Kore keeps of work that is handed out and in."""
        return self.path / "exchange"

    @property
    def accounts(self) -> Path:
        """Which Unix account belongs to whom, where each has their own."""
        return self.path / "accounts"

    def let_through(self) -> None:
        """Let other accounts pass on to their homes; all else stays closed to them."""
        self.path.chmod(_CROSSED)
        for folder in (self.hub, self.kore, self.exchange, self.lms, self.logs):
            folder.chmod(_PRIVATE)

    @property
    def lms(self) -> Path:
        """The embedded LMS's database and keys."""
        return self.path / "lms"

    @property
    def logs(self) -> Path:
        """One log a program, and one a single-user server."""
        return self.path / "logs"

    def log(self, name: str) -> Path:
        """Return a program's log; a long one is put aside first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _ROTATE_AT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def close(self) -> None:
        """Let another demo have the directory."""
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let another demo have the directory."""
        self.close()


def _own_directory(path: Path) -> Path:
    try:
        path = path.expanduser().resolve()
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        owner = path.stat().st_uid
        foreign = not (path / _LOCK).exists() and any(path.iterdir())
    except FileExistsError:
        raise _unusable(path, "is a file, not a directory") from None
    except (OSError, RuntimeError) as error:
        raise _unusable(path, _reason(error)) from error
    if owner != os.geteuid():
        raise _unusable(path, "belongs to another user")
    if foreign:
        raise _unusable(path, "holds files that are not the demo's")
    return path


def _locked(path: Path) -> int:
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        path.chmod(_PRIVATE)
    except OSError as error:
        raise _unusable(path, _reason(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise _unusable(path, f"cannot be locked ({error.strerror})") from error
        raise AnankeError(
            Exit.STATE_IN_USE,
            f"Another demo (process {holder}) is using {path}.",
            "End that one first, or choose another directory with --state-dir.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    return descriptor


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return "is on a file system that is read-only"
    if isinstance(error, PermissionError):
        return "may not be written by you"
    return (
        f"cannot be used ({error.strerror or error})" if isinstance(error, OSError) else str(error)
    )


def _unusable(path: Path, why: str) -> AnankeError:
    return AnankeError(
        Exit.STATE_UNUSABLE,
        f"The state directory {path} {why}.",
        "Choose another with --state-dir: an empty one, or one that does not exist yet.",
    )
