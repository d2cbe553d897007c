"""The container's machine: people are systemd's dynamic users, courses are fixed accounts.

``SystemdHost`` is the hub's side, which is root. Kore runs as an account of its own and gets
into courses' homes by access control lists that this side sets: ``CourseFolders`` is Kore's
view of the same folders, and can make nothing.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kore.host.accounts import Account, Accounts
from kore.host.base import HostError, checked_course, checked_user
from kore.shared.ids import is_course_id

KORE = "kore"
"""Kore's own account."""

_REMOVED = ".removed"
_PRIVATE = 0o700
_ACCESS_LIST = "system.posix_acl_access"
# Of systemd's numbers for dynamic users (systemd.exec(5)): a person who works at the moment.
_FIRST_DYNAMIC = 61_184
_COMMAND_SECONDS = 120


class CourseFolders:
    """A ``Host`` as Kore sees it in a container: what the hub made for the courses."""

    def __init__(self, *, homes: Path, exchange: Path, people: Path = Path("/var/lib")) -> None:
        self._homes = homes
        self._exchange = exchange
        self._people = people

    @property
    def exchange(self) -> Path:
        """The folder in which Kore keeps what is handed out and in."""
        return self._exchange

    def home(self, user: str) -> Path:
        """Return the home of a person or a course, whether it exists or not."""
        return (self._homes if is_course_id(user) else self._people) / checked_user(user)

    def course_root(self, course_id: str) -> Path:
        """Return nbgrader's course directory, whether it exists or not."""
        return self._homes / checked_course(course_id) / "course"

    def prepare_person(self, user: str) -> Path:
        """Return a person's home: systemd makes it when their server starts."""
        return self.home(user)

    def prepare_course(self, course_id: str) -> Path:
        """Return the course directory. Raises HostError where the hub did not make it."""
        root = self.course_root(course_id)
        if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
            raise HostError(
                f"{root} is not there, or closed to Kore: "
                "the hub makes it when it hears of the course, and its log says what went wrong"
            )
        return root

    def remove_course(self, course_id: str) -> None:
        """Do nothing: the hub put the home aside when it deleted the course's user."""

    def admit(self, user: str) -> None:
        """Do nothing: accounts are the hub's to make."""

    def dismiss(self, user: str) -> None:
        """Do nothing: accounts are the hub's to remove."""

    def hand_over(self, user: str) -> None:
        """Do nothing: the hub does it before a course's server starts."""

    def hand_over_file(self, course_id: str, path: str) -> None:
        """Do nothing: the folder's access list lets the course's account at it."""

    def enter(self, user: str, folder: Path) -> list[str]:  # noqa: ARG002
        """Return nothing: systemd starts servers as their accounts."""
        return []


class SystemdHost(CourseFolders):
    """A ``Host`` in the hub's hands. Only root can use it.

    A course's account has a number of its own for ever, given out by ``accounts``, a folder
    that outlives the container, while the system's list of accounts ends with it.
    """

    def __init__(
        self, *, homes: Path, exchange: Path, accounts: Path, people: Path = Path("/var/lib")
    ) -> None:
        super().__init__(homes=homes, exchange=exchange, people=people)
        self._accounts = Accounts(accounts)

    def restore_accounts(self) -> None:
        """Make the accounts of all courses that have a home, in one go: after a new container."""
        courses = [path.name for path in self._homes.iterdir() if is_course_id(path.name)]
        _make_accounts(
            (name, self._accounts.of(name), self.home(name))
            for name in sorted(courses)
            if not _known(name)
        )

    def prepare_person(self, user: str) -> Path:
        """Return the place of a person's home, which systemd makes.

        Raises HostError for a name that the system has itself: systemd would run their server
        as the system's account, or hand over its folder.
        """
        home = self.home(user)
        with suppress(KeyError):
            if pwd.getpwnam(user).pw_uid < _FIRST_DYNAMIC:
                raise HostError(f"{user} is the name of one of the system's own accounts")
        if home.exists() and not home.is_symlink():
            raise HostError(f"{home} is one of the system's own folders")
        # What the link that systemd makes leads to: programs that compare paths see one.
        return self._people / "private" / user

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's account and folders, and let the account and Kore at all in them."""
        account = self._make(course_id)
        home, root = self.home(course_id), self.course_root(course_id)
        _as(account, "mkdir", "--parents", "--mode=0700", str(root))
        self.hand_over(course_id)
        # As the account itself: links that it made lead root nowhere.
        both = f"u:{KORE}:rwX,u:{course_id}:rwX"
        default = f"d:u:{KORE}:rwX,d:u:{course_id}:rwX"
        _as(account, "setfacl", "-R", "-P", "-m", f"{both},{default}", str(root))
        _run("setfacl", "--physical", "--modify", f"u:{KORE}:x", str(home))
        return root

    def admit(self, user: str) -> None:
        """Make what a new user of the hub needs at once: a course, its account and folders.

        The hub calls this at each of its starts for each user that it knows.
        """
        if is_course_id(user) and not (_known(user) and _is_shared(self.home(user))):
            self.prepare_course(user)

    def dismiss(self, user: str) -> None:
        """Remove a course's account, and put its home aside where only root can see it.

        A person keeps their home: it is found again should they come back.
        """
        if not is_course_id(user):
            return
        if _known(user):
            _run("userdel", user)
        home = self.home(user)
        if home.is_dir():
            aside = self._homes / _REMOVED
            aside.mkdir(mode=_PRIVATE, exist_ok=True)
            home.rename(aside / f"{user}.{time.time_ns()}")

    def hand_over(self, user: str) -> None:
        """Give what Kore made in a course's home to the course's account."""
        if not is_course_id(user):
            return
        home, account = self.home(user), self._accounts.of(user)
        try:
            kore = pwd.getpwnam(KORE).pw_uid
            _give(os.open(home, _FOLDER), account, kore)
        except (OSError, KeyError) as error:
            raise HostError(f"{home} cannot be given to its account: {error}") from error

    def _make(self, course_id: str) -> Account:
        account, home = self._accounts.of(course_id), self.home(course_id)
        if not _known(course_id):
            _make_accounts([(course_id, account, home)])
        try:
            # The folder above is root's: nobody can put a link in this one's place.
            home.mkdir(mode=_PRIVATE, exist_ok=True)
            if home.stat().st_uid != account.uid:
                os.chown(home, account.uid, account.gid)
        except OSError as error:
            raise HostError(f"{home} cannot be made: {error.strerror}") from error
        return account


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _is_shared(home: Path) -> bool:
    """Say whether Kore was let into a home; a backup without access lists loses that."""
    try:
        os.getxattr(home, _ACCESS_LIST)
    except OSError:
        return False
    return True


def _make_accounts(wanted: Iterable[tuple[str, Account, Path]]) -> None:
    """Add accounts without passwords to the system: sysusers.d(5)."""
    lines = [
        f'u {name} {account.uid}:{account.gid} "" {home} /bin/bash\n'
        for name, account, home in wanted
    ]
    groups = [f"g {line.split()[1]} {line.split()[2].partition(':')[2]}\n" for line in lines]
    if lines:
        _run("systemd-sysusers", "-", words="".join([*groups, *lines]))


def _as(account: Account, *argv: str) -> None:
    _run(
        "setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        "--no-new-privs",
        *argv,
    )


def _run(*argv: str, words: str = "") -> None:
    try:
        done = subprocess.run(
            argv,
            input=words,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HostError(f"{argv[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise HostError(f"{argv[0]} failed: {said[0]}")


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _give(folder: int, account: Account, from_uid: int) -> None:
    """Give what one account owns in a folder to another; close the folder's descriptor.

    Links are not followed, and a file with a second name elsewhere is left alone.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                    if found.st_uid == from_uid:
                        os.fchown(inner, account.uid, account.gid)
                    _give(inner, account, from_uid)
                elif found.st_uid == from_uid and found.st_nlink == 1:
                    os.chown(
                        entry.name, account.uid, account.gid, dir_fd=folder, follow_symlinks=False
                    )
    finally:
        os.close(folder)
