"""Which courses and backups someone may copy from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from kore.service.backups import reading
from kore.service.backups.reading import BackupSource, OpenBackup
from kore.service.copying.schemas import Source, SourceKind
from kore.service.copying.source_listing import (
    BackupListing,
    CourseListing,
    SourceListing,
)
from kore.service.copying.source_reader import BackupReader, CourseReader, Reader
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.db.models import Course, Member
from kore.service.errors import KoreError, NotFound
from kore.service.services import Services
from kore.shared.roles import Role


@dataclass(frozen=True, slots=True)
class Origin:
    """A source: a course with its folder, or a backup."""

    kind: SourceKind
    id: str
    course: str | None
    title: str
    taken_at: datetime | None
    root: Path = Path()
    backup: BackupSource | None = None

    def to_schema(self) -> Source:
        """Return the source as the API answers it."""
        return Source(
            kind=self.kind,
            id=self.id,
            course=self.course,
            title=self.title,
            taken_at=self.taken_at,
        )

    def listing(self, services: Services) -> SourceListing:
        """Return what is in the source."""
        if self.backup is not None:
            return BackupListing(services, self.backup)
        return CourseListing(self.root)

    @contextmanager
    def open(self, services: Services) -> Iterator[Reader]:
        """Open the source to read. Raises KoreError, and FileNotFoundError where it is gone."""
        if self.backup is None:
            with SafeTree(self.root) as tree:
                yield CourseReader(tree)
        else:
            with OpenBackup(services, self.id) as opened:
                yield BackupReader(opened)


def list_sources(
    services: Services,
    user: str,
    *,
    admin: bool = False,
    course: str | None = None,
    kind: SourceKind | None = None,
    source: str | None = None,
) -> list[Origin]:
    """Return what a user may copy from, the course launched last first.

    ``course`` and ``source`` narrow it; a hub admin may name any. Raises NotFound for one that
    this user may not copy from.
    """
    if course is not None and not _list_courses(services, user, admin=admin, only=course):
        raise NotFound("course_unknown")
    found: list[Origin] = []
    if kind != "backup" and (source is None or source.startswith("c-")):
        found = _list_courses(services, user, admin=admin, only=course or source)
    if kind != "course" and (source is None or not source.startswith("c-")):
        found += _list_backups(services, user, admin=admin, course=course, only=source)
    if source is not None:
        found = [origin for origin in found if origin.id == source]
        if not found:
            raise NotFound("source_unknown")
    return found


def find_source(
    services: Services, user: str, kind: SourceKind, source: str, *, admin: bool = False
) -> Origin:
    """Return one source. Raises NotFound where this user may not copy from it."""
    return list_sources(services, user, admin=admin, kind=kind, source=source)[0]


def _list_courses(services: Services, user: str, *, admin: bool, only: str | None) -> list[Origin]:
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


def _list_backups(
    services: Services, user: str, *, admin: bool, course: str | None, only: str | None
) -> list[Origin]:
    """Return the backups of a user's courses, and their own ones of courses that are gone."""
    taught = [origin.id for origin in _list_courses(services, user, admin=False, only=None)]
    if only is not None:
        if not admin and not reading.may_read(services, only, user=user, teaches=taught):
            return []
        try:
            found = [reading.find_source(services, only)]
        except KoreError:
            return []
    else:
        found = reading.list_sources(services, [course] if course else taught, gone_of=user)
    return [
        Origin(
            kind="backup",
            id=backup.id,
            course=backup.course,
            title=backup.title,
            taken_at=backup.taken_at,
            backup=backup,
        )
        for backup in found
        if course in {None, backup.course}
    ]
