"""Which courses and backups somebody may copy from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from kore.copying.schemas import Source, SourceKind
from kore.courses.listing import unknown_course
from kore.db.models import Course, Member
from kore.errors import KoreError
from kore.roles import Role
from kore.services import Services


@dataclass(frozen=True, slots=True)
class Origin:
    """A source and the folder that has its ``source`` in it."""

    kind: SourceKind
    id: str
    course: str | None
    title: str
    taken_at: datetime | None
    root: Path

    def told(self) -> Source:
        """Return it as the API has it."""
        return Source(
            kind=self.kind,
            id=self.id,
            course=self.course,
            title=self.title,
            taken_at=self.taken_at,
        )


def unknown_source() -> KoreError:
    """Return the error for a source that is not there, or not for this caller to know of."""
    return KoreError(
        404,
        "source_unknown",
        "There is no such course or backup for you to copy from.",
        "Choose again from the list: it may have been deleted meanwhile.",
    )


def readable(
    services: Services,
    user: str,
    *,
    admin: bool = False,
    course: str | None = None,
    kind: SourceKind | None = None,
    source: str | None = None,
) -> list[Origin]:
    """List what a user may copy from, the course launched last first.

    ``course`` and ``source`` narrow it; a hub admin may name any. Raises KoreError 404 for
    one that is not for this user.
    """
    found = [] if kind == "backup" else _courses(services, user, admin=admin, only=course or source)
    if source is not None:
        found = [origin for origin in found if origin.id == source]
        if not found:
            raise unknown_source()
    if course is not None and not _courses(services, user, admin=admin, only=course):
        raise unknown_course()
    return found


def find(
    services: Services, user: str, kind: SourceKind, source: str, *, admin: bool = False
) -> Origin:
    """Return one source. Raises KoreError 404 where it is not for this user."""
    return readable(services, user, admin=admin, kind=kind, source=source)[0]


def _courses(services: Services, user: str, *, admin: bool, only: str | None) -> list[Origin]:
    query = select(Course).order_by(Course.launched_at.desc(), Course.id)
    if not (admin and only):
        taught = select(Member.course_id).where(Member.user == user, Member.role == Role.INSTRUCTOR)
        # A course's own account acts for its teachers.
        query = query.where(Course.id.in_(taught) | (Course.id == user))
    if only:
        query = query.where(Course.id == only)
    with services.db.reading() as session:
        return [
            Origin(
                kind="course",
                id=course.id,
                course=course.id,
                title=course.title,
                taken_at=None,
                root=services.host.course_root(course.id),
            )
            for course in session.scalars(query)
        ]
