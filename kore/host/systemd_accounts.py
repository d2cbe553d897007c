"""The container's machine: people are systemd's dynamic users, courses are fixed accounts.

This is the hub's side, which is root. Kore runs as an account of its own and gets into courses'
homes by access control lists that this side sets: ``kore.host.courses.HubMadeFolders``.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kore.host.account_numbers import Account, Accounts
from kore.host.errors import HostError
from kore.host.layout import Layout
from kore.host.ownership import give_tree
from kore.shared.ids import is_course_id

KORE = "kore"
"""Kore's own account."""

_REMOVED = ".removed"
_PRIVATE = 0o700
_ACCESS_LIST = "system.posix_acl_access"
# First of systemd's numbers for dynamic users, systemd.exec(5): people whose server runs.
_FIRST_DYNAMIC = 61_184
_COMMAND_SECONDS = 120


class SystemdHost(Layout):
    """What the hub makes for people and courses in a container. Only root can use it.

    A course's account has a number of its own for ever, assigned by ``accounts``, a folder
    that outlives the container, while the system's list of accounts ends with it.
    """

    def __init__(
        self, *, homes: Path, exchange: Path, accounts: Path, people: Path = Path("/var/lib")
    ) -> None:
        super().__init__(homes=homes, exchange=exchange, people=people)
        self._accounts = Accounts(accounts)

    def restore_accounts(self) -> None:
        """Make the accounts of all courses that have a home at once, for a new container."""
        courses = [path.name for path in self._homes.iterdir() if is_course_id(path.name)]
        _make_accounts(
            (name, self._accounts.of(name), self.home(name))
            for name in sorted(courses)
            if not _has_account(name)
        )

    def prepare_person(self, user: str) -> Path:
        """Return where systemd makes a person's home.

        Raises HostError for the name of one of the system's own accounts or folders: systemd
        would run the person's server as that account, or give them that folder.
        """
        home = self.home(user)
        with suppress(KeyError):
            if pwd.getpwnam(user).pw_uid < _FIRST_DYNAMIC:
                raise HostError(f"{user} is the name of one of the system's own accounts")
        if home.exists() and not home.is_symlink():
            raise HostError(f"{home} is one of the system's own folders")
        # The target of systemd's link: programs that compare paths then see only one.
        return self._people / "private" / user

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's account and folders, and give the account and Kore access to them."""
        account = self._make_home(course_id)
        home, root = self.home(course_id), self.course_root(course_id)
        _run_as(account, "mkdir", "--parents", "--mode=0700", str(root))
        self._hand_over(course_id)
        # As the account itself: links that it made cannot mislead root.
        both = f"u:{KORE}:rwX,u:{course_id}:rwX"
        default = f"d:u:{KORE}:rwX,d:u:{course_id}:rwX"
        _run_as(account, "setfacl", "-R", "-P", "-m", f"{both},{default}", str(root))
        _run("setfacl", "--physical", "--modify", f"u:{KORE}:x", str(home))
        return root

    def add_user(self, user: str) -> None:
        """Make the account and folders of a course that is a new user of the hub.

        The hub calls this at each of its starts for each user that it knows.
        """
        if is_course_id(user) and not (_has_account(user) and _is_open_to_kore(self.home(user))):
            self.prepare_course(user)

    def delete_user(self, user: str) -> None:
        """Remove a course's account, and move its home where only root can see it.

        A person's home is kept: they find it again if they come back.
        """
        if not is_course_id(user):
            return
        if _has_account(user):
            _run("userdel", user)
        home = self.home(user)
        if home.is_dir():
            aside = self._homes / _REMOVED
            aside.mkdir(mode=_PRIVATE, exist_ok=True)
            home.rename(aside / f"{user}.{time.time_ns()}")

    def _hand_over(self, course_id: str) -> None:
        try:
            kore = pwd.getpwnam(KORE).pw_uid
        except KeyError as error:
            raise HostError(f"there is no account {KORE}") from error
        give_tree(self.home(course_id), self._accounts.of(course_id), from_uid=kore)

    def _make_home(self, course_id: str) -> Account:
        account, home = self._accounts.of(course_id), self.home(course_id)
        if not _has_account(course_id):
            _make_accounts([(course_id, account, home)])
        try:
            # The folder above is root's: nobody can replace this one with a link.
            home.mkdir(mode=_PRIVATE, exist_ok=True)
            if home.stat().st_uid != account.uid:
                os.chown(home, account.uid, account.gid)
        except OSError as error:
            raise HostError(f"cannot make {home}: {error.strerror}") from error
        return account


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _is_open_to_kore(home: Path) -> bool:
    """Whether Kore has access to a home; a backup without access lists loses that."""
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
        _run("systemd-sysusers", "-", standard_input="".join([*groups, *lines]))


def _run_as(account: Account, *argv: str) -> None:
    _run(
        "setpriv",
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        "--no-new-privs",
        *argv,
    )


def _run(*argv: str, standard_input: str = "") -> None:
    try:
        done = subprocess.run(
            argv,
            input=standard_input,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HostError(f"cannot run {argv[0]}: {error}") from error
    if done.returncode != 0:
        last_line = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise HostError(f"{argv[0]} failed: {last_line[0]}")
