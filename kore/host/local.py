"""The demo's machine: local folders, of one account or of an account each."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from kore.host.account_numbers import Account, Accounts
from kore.host.courses import CourseFolders
from kore.host.errors import HostError
from kore.host.layout import check_course

_PRIVATE = 0o700
_TRAVERSABLE = 0o711
_PROBE_ACCOUNT = Account(59_999)
_PROBE_SECONDS = 60


class LocalHost(CourseFolders):
    """Folders that this process makes and removes, and how servers run in them.

    With ``accounts``, a folder of assigned account numbers, each home belongs to an account of
    its own and its server runs as that account: only root can do that. Without it, one account
    owns and runs everything, and nothing separates people from each other.
    """

    def __init__(self, *, homes: Path, exchange: Path, accounts: Path | None = None) -> None:
        super().__init__(
            homes=homes, exchange=exchange, accounts=Accounts(accounts) if accounts else None
        )

    def prepare_person(self, user: str) -> Path:
        """Make the home of a person, or of a course; return it."""
        home = self._make_home(user)
        self.hand_over(user)
        return home

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's home and its course directory; return the directory."""
        root = self.course_root(course_id)
        self._make_home(course_id)
        _make_private(root)
        self.hand_over(course_id)
        return root

    def remove_course(self, course_id: str) -> None:
        """Remove a course's home, with everything in it."""
        try:
            shutil.rmtree(self.home(check_course(course_id)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise HostError(f"cannot remove {course_id}: {error.strerror}") from error

    def enter_command(self, user: str, folder: Path) -> list[str]:
        """Return what precedes a command line to run it as the user, in a folder.

        Empty where one account runs everything.
        """
        if self._accounts is None:
            return []
        return _enter_command(self._accounts.of(user), self.home(user), folder)

    def check_accounts(self) -> str:
        """Return why this machine does not let other accounts run servers; "" if it does.

        Runs a program as an account that nobody has, the way people's servers will run.
        """
        self._make_homes()
        command = [
            *_enter_command(_PROBE_ACCOUNT, self._homes, Path("/")),
            *(sys.executable, "-c", "import kore"),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if done.returncode == 0:
            return ""
        last_line = done.stderr.strip().splitlines()[-1:] or ["it ended without a message"]
        return last_line[0]

    def _make_home(self, user: str) -> Path:
        home = self.home(user)
        self._make_homes()
        _make_private(home)
        return home

    def _make_homes(self) -> None:
        if self._accounts is None:
            _make_private(self._homes)
        else:
            self._homes.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._homes.chmod(_TRAVERSABLE)


def _enter_command(account: Account, home: Path, folder: Path) -> list[str]:
    # Isolated (-I): this runs as root for a moment, so nobody's folder may lend it modules.
    return [
        *(sys.executable, "-I", "-m", "kore.host.enter"),
        *(str(account.uid), str(home), str(folder)),
    ]


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        # By descriptor: the owner of the folder above may replace it with a link meanwhile.
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) != _PRIVATE:
                os.fchmod(descriptor, _PRIVATE)
        finally:
            os.close(descriptor)
    except OSError as error:
        if path.is_symlink():
            raise HostError(f"{path} is a link, not a folder, and leads elsewhere") from error
        raise HostError(f"cannot make {path}: {error.strerror}") from error
