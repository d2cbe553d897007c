"""Where people's and courses' files are on this machine."""

from __future__ import annotations

from pathlib import Path

from kore.host.errors import HostError
from kore.shared.ids import is_course_id, is_person


def check_user(name: str) -> str:
    """Return a name that is safe as the name of a folder and an account.

    ``kore.shared.lti.identity`` makes only such names; this check holds even if it does not.
    Raises HostError for anything that is neither a person (``u...``) nor a course.
    """
    if is_course_id(name) or is_person(name):
        return name
    raise HostError(f"{name!r} is neither a person nor a course")


def check_course(course_id: str) -> str:
    """Return a course id that is safe as a folder's name; raises HostError."""
    if is_course_id(course_id):
        return course_id
    raise HostError(f"{course_id!r} is not a course")


class Layout:
    """The folders of people and courses, and the exchange.

    Courses' homes are in ``homes``, people's in ``people``, which is the same folder unless
    it is named.
    """

    def __init__(self, *, homes: Path, exchange: Path, people: Path | None = None) -> None:
        self._homes = homes
        self._exchange = exchange
        self._people = people or homes

    @property
    def exchange(self) -> Path:
        """Kore's folder of released and submitted work; nobody else can read it."""
        return self._exchange

    def home(self, user: str) -> Path:
        """Return the home of a person or a course, whether it exists or not."""
        return (self._homes if is_course_id(user) else self._people) / check_user(user)

    def course_root(self, course_id: str) -> Path:
        """Return nbgrader's course directory, whether it exists or not."""
        return self._homes / check_course(course_id) / "course"
