"""What the hub asks of the machine that it runs on; ``kore.host`` implements it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Homes(Protocol):
    """Makes homes. Every method may be called again, and then completes what is missing."""

    @property
    def exchange(self) -> Path:
        """Kore's folder of released and submitted work."""

    def prepare_person(self, user: str) -> Path:
        """Make what a person's server needs; return the home. Raises HostError."""

    def prepare_course(self, course_id: str) -> Path:
        """Make what a course's server needs; return the course directory. Raises HostError."""


class CourseAccounts(Protocol):
    """Makes and removes courses' accounts; called for each user of the hub."""

    def add_user(self, user: str) -> None:
        """Make a course's account and folders. May be called again. Raises HostError."""

    def delete_user(self, user: str) -> None:
        """Remove a course's account; its files are kept. May be called again."""
