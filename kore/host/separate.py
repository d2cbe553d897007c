"""The demo's machine where its owner is root: an account of its own for everyone.

Homes are open to their own accounts only; what the hub and Kore keep is open to root only.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kore.host.accounts import Account, Accounts
from kore.host.base import HostError
from kore.host.local import LocalHost

_CROSSED = 0o711
_PRIVATE = 0o700
_PROBE = Account(59_999)
_PROBE_SECONDS = 60


class SeparateHost(LocalHost):
    """A ``Host`` that gives each home to an account, and starts servers as that account."""

    def __init__(self, *, homes: Path, exchange: Path, accounts: Path) -> None:
        super().__init__(homes=homes, exchange=exchange)
        self._accounts = Accounts(accounts)

    def prepare_person(self, user: str) -> Path:
        """Make a person's home, or a course's, and give it to its account; return it."""
        home = super().prepare_person(user)
        self._give(home, self._accounts.of(user))
        return home

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's home and directory, and give all of it to the course's account."""
        root = super().prepare_course(course_id)
        self.hand_over(course_id)
        return root

    def hand_over(self, user: str) -> None:
        """Give what Kore made in a home to the account that it belongs to."""
        self._give(self.home(user), self._accounts.of(user))

    def hand_over_file(self, course_id: str, path: str) -> None:
        """Give one file of a course to its account; no link on the way to it is followed."""
        account = self._accounts.of(course_id)
        root = self.course_root(course_id)
        with ExitStack() as stack:
            *folders, name = path.split("/")
            at = stack.enter_context(_folder(root))
            for folder in folders:
                at = stack.enter_context(_folder(folder, at))
            os.chown(name, account.uid, account.gid, dir_fd=at, follow_symlinks=False)

    def enter(self, user: str, folder: Path) -> list[str]:
        """Return the command that becomes the account, goes to a folder, and runs the rest."""
        return _enter(self._accounts.of(user), self.home(user), folder)

    def _open_homes(self) -> None:
        self._homes.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        self._homes.chmod(_CROSSED)

    def _give(self, home: Path, account: Account) -> None:
        """Give a home, and what in it is still root's, away; follow nothing that links."""
        try:
            with _folder(home) as descriptor:
                _hand_on(descriptor, account)
        except OSError as error:
            raise HostError(f"{home} cannot be given to its account: {error.strerror}") from error

    def why_not(self) -> str:
        """Say why this machine does not let accounts run servers; nothing where it does.

        A program of an account that nobody has is run as those of people will be.
        """
        self._open_homes()
        command = [*_enter(_PROBE, self._homes, Path("/")), sys.executable, "-c", "import kore"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if done.returncode == 0:
            return ""
        last = done.stderr.strip().splitlines()[-1:] or ["it ended without a word"]
        return last[0]


def _enter(account: Account, home: Path, folder: Path) -> list[str]:
    # Isolated (-I): this runs as root for a moment, so nobody's folder may lend it modules.
    return [
        *(sys.executable, "-I", "-m", "kore.host.enter"),
        *(str(account.uid), str(home), str(folder)),
    ]


@contextmanager
def _folder(path: str | Path, above: int | None = None) -> Iterator[int]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, dir_fd=above)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _hand_on(folder: int, account: Account) -> None:
    """Give a folder and everything of root's in it to an account.

    A file with a second name elsewhere is left alone: that may be no file of this home.
    """
    me = os.geteuid()
    if os.fstat(folder).st_uid != account.uid:
        os.fchown(folder, account.uid, account.gid)
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                with _folder(entry.name, folder) as inner:
                    _hand_on(inner, account)
            elif found.st_uid == me and found.st_nlink == 1:
                os.chown(entry.name, account.uid, account.gid, dir_fd=folder, follow_symlinks=False)
