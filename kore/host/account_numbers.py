"""Which number a person's or a course's Unix account has.

A number belongs to one name for ever: the file that records it outlives the person, so nobody
inherits what another left behind. In the demo these accounts have no entry in the system's user
database; in a container courses' have (``kore.host.systemd_accounts``).
"""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kore.host.errors import HostError
from kore.host.layout import check_user
from kore.shared.files import write_once
from kore.shared.ids import is_course_id

# In Debian's range for people, which a container's user namespace maps as well.
_FIRST, _LAST = 20_000, 59_999
_LOCK = ".lock"
_NUMBER_FIELD = 2
"""Where ``passwd(5)`` and ``group(5)`` have the number."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Unix account; its one group has the same number."""

    uid: int

    @property
    def gid(self) -> int:
        """The account's group."""
        return self.uid


class Accounts:
    """The accounts that were assigned: a folder with one file for each name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> Account:
        """Return the account of a person or a course, and assign one the first time.

        Raises HostError for any other name, or when all numbers are assigned.
        """
        path = self._folder / check_user(name)
        try:
            return _read(path) or self._assign(path)
        except OSError as error:
            raise HostError(f"cannot use {path}: {error.strerror}") from error

    def is_course(self, uid: int) -> bool:
        """Whether an account is one that was assigned to a course."""
        found = (path for path in self._folder.glob("c-*") if is_course_id(path.name))
        return any(_read(path) == Account(uid) for path in found)

    def _assign(self, path: Path) -> Account:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            account = _read(path)
            if account is None:
                account = Account(self._find_free())
                write_once(path, f"{account.uid}\n".encode())
            return account
        finally:
            os.close(lock)

    def _find_free(self) -> int:
        taken = {found.uid for path in self._folder.glob("[!.]*") if (found := _read(path))}
        taken |= _system_numbers()
        # Another demo on this machine assigns numbers as well: start at a random one.
        size = _LAST - _FIRST + 1
        start = secrets.randbelow(size)
        for step in range(size):
            number = _FIRST + (start + step) % size
            if number not in taken:
                return number
        raise HostError("all account numbers are assigned")


def _read(path: Path) -> Account | None:
    try:
        return Account(int(path.read_text("ascii")))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise HostError(f"{path} does not contain an account number") from error


def _system_numbers() -> set[int]:
    """Return the numbers of the system's own accounts and groups."""
    numbers = set()
    for path in (Path("/etc/passwd"), Path("/etc/group")):
        for line in path.read_text("utf-8", "replace").splitlines():
            fields = line.split(":")
            if len(fields) > _NUMBER_FIELD and fields[_NUMBER_FIELD].isdecimal():
                numbers.add(int(fields[_NUMBER_FIELD]))
    return numbers
