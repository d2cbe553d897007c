"""The ids and service addresses under which people, courses and columns are known outside."""

from __future__ import annotations

import hashlib
import uuid
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.manners import Manner
from ananke.demo.lms.store import Activity, Course, LineItem, User

_SPACE = uuid.UUID("6f2b1f0e-7a55-4b7e-9d0e-1b5f3a5c7e11")


def opaque_subject(slug: str) -> str:
    """Make the UUID by which an LMS with opaque ids knows a person."""
    return str(uuid.uuid5(_SPACE, f"user/{slug}"))


def subject(user: User, manner: Manner) -> str:
    """Return the `sub` of a person."""
    return user.opaque_sub if manner.opaque_ids else user.sub


def user_of(session: Session, sub: str, manner: Manner) -> User | None:
    """Find the person with this `sub`; compared exactly, upper and lower case differ."""
    column = User.opaque_sub if manner.opaque_ids else User.sub
    return session.scalars(select(User).where(column == sub)).first()


def context_id(course: Course, manner: Manner) -> str:
    """Return the id of a course in claims."""
    if manner.opaque_ids:
        return hashlib.sha1(f"{_SPACE}/{course.id}".encode(), usedforsecurity=False).hexdigest()
    return str(course.id)


def link_id(activity: Activity, manner: Manner) -> str:
    """Return the id of an activity in claims."""
    if manner.opaque_ids:
        return str(uuid.uuid5(_SPACE, f"activity/{activity.id}"))
    return str(activity.id)


class Addresses:
    """Service URLs, with the parameters that this LMS puts on them."""

    def __init__(self, base: str, manner: Manner) -> None:
        self._base = f"{base}/lti/services"
        self._query = manner.query

    def _with_query(self, path: str, extra: list[tuple[str, str]] | None = None) -> str:
        query = urlencode([*self._query, *(extra or [])])
        return f"{self._base}{path}" + (f"?{query}" if query else "")

    def line_items(self, course_id: int, extra: list[tuple[str, str]] | None = None) -> str:
        """Address the container of a course's columns."""
        return self._with_query(f"/{course_id}/lineitems", extra)

    def line_item(self, item: LineItem) -> str:
        """Address one column."""
        return self._with_query(f"/{item.course_id}/lineitems/{item.id}/lineitem")

    def results(self, item: LineItem, extra: list[tuple[str, str]] | None = None) -> str:
        """Address the results of one column."""
        return self._with_query(f"/{item.course_id}/lineitems/{item.id}/lineitem/results", extra)

    def result(self, item: LineItem, sub: str) -> str:
        """Address one person's result."""
        return self.results(item, [("user_id", sub)])

    def members(self, course_id: int, extra: list[tuple[str, str]] | None = None) -> str:
        """Address the people of a course."""
        return self._with_query(f"/{course_id}/memberships", extra)
