"""The ids and service URLs by which tools know people, courses and line items."""

from __future__ import annotations

import hashlib
import uuid
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.profiles import LmsProfile
from ananke.demo.lms.store import Activity, Course, LineItem, User

_SPACE = uuid.UUID("6f2b1f0e-7a55-4b7e-9d0e-1b5f3a5c7e11")


def make_opaque_subject(slug: str) -> str:
    """Return the UUID of a person in an LMS with opaque ids."""
    return str(uuid.uuid5(_SPACE, f"user/{slug}"))


def get_subject(user: User, profile: LmsProfile) -> str:
    """Return the `sub` of a person."""
    return user.opaque_sub if profile.opaque_ids else user.sub


def find_user_by_subject(session: Session, sub: str, profile: LmsProfile) -> User | None:
    """Return the person with this `sub`; upper and lower case differ."""
    column = User.opaque_sub if profile.opaque_ids else User.sub
    return session.scalars(select(User).where(column == sub)).first()


def get_context_id(course: Course, profile: LmsProfile) -> str:
    """Return the id of a course in claims."""
    if profile.opaque_ids:
        return hashlib.sha1(f"{_SPACE}/{course.id}".encode(), usedforsecurity=False).hexdigest()
    return str(course.id)


def get_link_id(activity: Activity, profile: LmsProfile) -> str:
    """Return the id of an activity in claims."""
    if profile.opaque_ids:
        return str(uuid.uuid5(_SPACE, f"activity/{activity.id}"))
    return str(activity.id)


class ServiceUrls:
    """Service URLs with the parameters that this LMS adds."""

    def __init__(self, base: str, profile: LmsProfile) -> None:
        self._base = f"{base}/lti/services"
        self._query = profile.query

    def _with_query(self, path: str, extra: list[tuple[str, str]] | None = None) -> str:
        query = urlencode([*self._query, *(extra or [])])
        return f"{self._base}{path}" + (f"?{query}" if query else "")

    def line_items(self, course_id: int, extra: list[tuple[str, str]] | None = None) -> str:
        """Return the URL of a course's line items."""
        return self._with_query(f"/{course_id}/lineitems", extra)

    def line_item(self, item: LineItem) -> str:
        """Return the URL of one line item."""
        return self._with_query(f"/{item.course_id}/lineitems/{item.id}/lineitem")

    def results(self, item: LineItem, extra: list[tuple[str, str]] | None = None) -> str:
        """Return the URL of one line item's results."""
        return self._with_query(f"/{item.course_id}/lineitems/{item.id}/lineitem/results", extra)

    def result(self, item: LineItem, sub: str) -> str:
        """Return the URL of one person's result."""
        return self.results(item, [("user_id", sub)])

    def members(self, course_id: int, extra: list[tuple[str, str]] | None = None) -> str:
        """Return the URL of a course's members."""
        return self._with_query(f"/{course_id}/memberships", extra)
