"""What Kore asks of the machine that it runs on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from kore.shared.ids import is_course_id, is_person


class HostError(Exception):
    """The machine refused, or was asked for something that must not be; in words."""


def checked_user(name: str) -> str:
    """Return a name that is safe as a folder's and an account's name.

    Names are made by ``kore.shared.lti.identity``; this is the second lock on the same door.
    Raises HostError for anything that cannot be a person (``u...``) or a course.
    """
    if is_course_id(name) or is_person(name):
        return name
    raise HostError(f"{name!r} is neither a person nor a course")


def checked_course(course_id: str) -> str:
    """Return a course id that is safe as a folder's name; raises HostError."""
    if is_course_id(course_id):
        return course_id
    raise HostError(f"{course_id!r} is not a course")


class Host(Protocol):
    """Where people's and courses' files are, and how they come to be.

    Every preparing method may be called again at any time, by several processes at once,
    and after a kill between any two of its steps; it then completes what is missing.
    """

    @property
    def exchange(self) -> Path:
        """The folder in which Kore keeps what is handed out and in; nobody else reads it."""

    def home(self, user: str) -> Path:
        """Return the home of a person or a course, whether it exists or not."""

    def course_root(self, course_id: str) -> Path:
        """Return nbgrader's course directory, whether it exists or not."""

    def prepare_person(self, user: str) -> Path:
        """Make what a person's server needs; return the home."""

    def prepare_course(self, course_id: str) -> Path:
        """Make what a course's server needs; return the course directory."""

    def remove_course(self, course_id: str) -> None:
        """Remove a course's home, after the hub has forgotten its user; may be repeated."""

    def admit(self, user: str) -> None:
        """Make what a new user of the hub needs before anything of theirs starts."""

    def dismiss(self, user: str) -> None:
        """Take away what ``admit`` made; files that somebody worked on are kept."""

    def hand_over(self, user: str) -> None:
        """Give what Kore made in a home to the account that it belongs to."""

    def hand_over_file(self, course_id: str, path: str) -> None:
        """Give one file of a course to its account; ``path`` is relative to the course's root."""

    def enter(self, user: str, folder: Path) -> list[str]:
        """Return what goes before a command line that shall run as the user, in a folder."""
