"""Which Unix account a person's or a course's programs run as, on the demo's machine.

Accounts are numbers without an entry in the system's user database. A number belongs to one
name for ever: the file that says so outlives the person, so nobody inherits what another
left behind.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kore.host.base import HostError, checked_user
from kore.shared.files import write_once
from kore.shared.ids import is_course_id

# Of Debian's range for people, which a container's user namespace maps as well.
_FIRST, _LAST = 20_000, 59_999
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Account:
    """A Unix account; its one group has the same number."""

    uid: int

    @property
    def gid(self) -> int:
        """The account's group."""
        return self.uid


class Accounts:
    """The accounts that were given out, a file a name, in a folder of the one who gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> Account:
        """Return the account of a person or a course; a new one at the first time.

        Raises HostError for a name that must not be, or where the numbers are used up.
        """
        path = self._folder / checked_user(name)
        try:
            return _read(path) or self._give(path)
        except OSError as error:
            raise HostError(f"{path} cannot be used: {error.strerror}") from error

    def is_course(self, uid: int) -> bool:
        """Say whether an account is one that was given to a course."""
        found = (path for path in self._folder.glob("c-*") if is_course_id(path.name))
        return any(_read(path) == Account(uid) for path in found)

    def _give(self, path: Path) -> Account:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            account = _read(path)
            if account is None:
                account = Account(self._free())
                write_once(path, f"{account.uid}\n".encode())
            return account
        finally:
            os.close(lock)

    def _free(self) -> int:
        taken = {found.uid for path in self._folder.glob("[!.]*") if (found := _read(path))}
        taken |= _system_numbers()
        # Another demo on this machine gives out numbers as well: begin anywhere.
        size = _LAST - _FIRST + 1
        start = secrets.randbelow(size)
        for step in range(size):
            number = _FIRST + (start + step) % size
            if number not in taken:
                return number
        raise HostError("All account numbers are given out.")


def _read(path: Path) -> Account | None:
    try:
        return Account(int(path.read_text("ascii")))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise HostError(f"{path} does not hold an account's number") from error


def _system_numbers() -> set[int]:
    """Return the numbers of the system's own accounts and groups."""
    numbers = set()
    for path, place in ((Path("/etc/passwd"), 2), (Path("/etc/group"), 2)):
        for line in path.read_text("utf-8", "replace").splitlines():
            fields = line.split(":")
            if len(fields) > place and fields[place].isdecimal():
                numbers.add(int(fields[place]))
    return numbers
