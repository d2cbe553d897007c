"""The demo's machine: folders of the one account that runs everything.

Nothing here separates users from each other: they all run as the same account.
That is the container's task.
"""

from __future__ import annotations

import stat
from pathlib import Path

from kore.host.base import HostError, checked_course, checked_user

_PRIVATE = 0o700


class LocalHost:
    """A ``Host`` in two local folders, ``homes`` and ``exchange``."""

    def __init__(self, *, homes: Path, exchange: Path) -> None:
        self._homes = homes
        self._exchange = exchange

    @property
    def exchange(self) -> Path:
        """The folder through which nbgrader hands work out and in."""
        return self._exchange

    def home(self, user: str) -> Path:
        """Return the home of a person or a course, whether it exists or not."""
        return self._homes / checked_user(user)

    def course_root(self, course_id: str) -> Path:
        """Return nbgrader's course directory, whether it exists or not."""
        return self._homes / checked_course(course_id) / "course"

    def prepare_person(self, user: str) -> Path:
        """Make a person's home and the exchange; return the home."""
        home = self.home(user)
        _private_folder(self._homes)
        _private_folder(home)
        self._prepare_exchange()
        return home

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's home, its course directory and the exchange; return the second."""
        root = self.course_root(course_id)
        self.prepare_person(course_id)
        _private_folder(root)
        return root

    def _prepare_exchange(self) -> None:
        # nbgrader insists on this mode; the state directory around it is private
        _folder(self._exchange, 0o777)


def _private_folder(path: Path) -> None:
    _folder(path, _PRIVATE)


def _folder(path: Path, mode: int) -> None:
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise HostError(f"{path} is not a folder of its own but leads elsewhere")
        if stat.S_IMODE(found.st_mode) != mode:
            path.chmod(mode)
    except OSError as error:
        raise HostError(f"{path} cannot be made: {error.strerror}") from error
