"""The demo's machine: folders of the one account that runs everything.

Nothing here separates users from each other: they all run as the same account.
``kore.host.separate`` does, where that account is root.
"""

from __future__ import annotations

import os
import shutil
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
        """The folder in which Kore keeps what is handed out and in."""
        return self._exchange

    def home(self, user: str) -> Path:
        """Return the home of a person or a course, whether it exists or not."""
        return self._homes / checked_user(user)

    def course_root(self, course_id: str) -> Path:
        """Return nbgrader's course directory, whether it exists or not."""
        return self._homes / checked_course(course_id) / "course"

    def prepare_person(self, user: str) -> Path:
        """Make a person's home; return it."""
        home = self.home(user)
        self._open_homes()
        _private_folder(home)
        return home

    def prepare_course(self, course_id: str) -> Path:
        """Make a course's home and its course directory; return the second."""
        root = self.course_root(course_id)
        self.prepare_person(course_id)
        _private_folder(root)
        return root

    def remove_course(self, course_id: str) -> None:
        """Remove a course's home, with all that is in it."""
        try:
            shutil.rmtree(self.home(checked_course(course_id)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise HostError(f"{course_id} cannot be removed: {error.strerror}") from error

    def admit(self, user: str) -> None:
        """Do nothing: there is no account to be made."""

    def dismiss(self, user: str) -> None:
        """Do nothing: there is no account to be removed."""

    def hand_over(self, user: str) -> None:
        """Do nothing: all is the one account's."""

    def hand_over_file(self, course_id: str, path: str) -> None:
        """Do nothing: all is the one account's."""

    def enter(self, user: str, folder: Path) -> list[str]:  # noqa: ARG002
        """Return nothing: servers run as the account of the hub."""
        return []

    def _open_homes(self) -> None:
        _private_folder(self._homes)


def _private_folder(path: Path) -> None:
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        # By descriptor: whoever owns the folder above may exchange it for a link meanwhile.
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) != _PRIVATE:
                os.fchmod(descriptor, _PRIVATE)
        finally:
            os.close(descriptor)
    except OSError as error:
        if path.is_symlink():
            raise HostError(f"{path} is not a folder of its own but leads elsewhere") from error
        raise HostError(f"{path} cannot be made: {error.strerror}") from error
