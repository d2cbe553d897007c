"""Assignments as teachers release them and the people of the course fetch them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BufferedReader

from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service import audit
from kore.service.coursedir.duedates import find_due_dates
from kore.service.coursedir.gradebook import DueDates
from kore.service.db.exchange_models import Handout
from kore.service.db.models import now
from kore.service.errors import Invalid, NotFound
from kore.service.exchange import index, quotas
from kore.service.exchange.schemas import ReleasedAssignment
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.names import find_fault


def find_assignment(session: Session, course_id: str, name: str) -> Handout:
    """Return a released assignment. Raises NotFound."""
    row = session.get(Handout, (course_id, name))
    if row is None:
        raise NotFound("assignment_unknown.not_released")
    return row


def list_assignments(services: Services, course_id: str) -> list[ReleasedAssignment]:
    """Return what is released in a course, by name."""
    with services.db.reading() as session:
        rows = session.scalars(
            select(Handout).where(Handout.course_id == course_id).order_by(Handout.name)
        ).all()
    dues = find_due_dates(services, course_id)
    return [_to_schema(row, dues) for row in rows]


def release_assignment(
    services: Services, course_id: str, name: str, pieces: Iterable[bytes], *, by: str
) -> tuple[ReleasedAssignment, bool]:
    """Store an assignment's archive, instead of an earlier one; return it and whether it is new.

    Raises Invalid for an unfit name, BadArchive, TooLarge, QuotaExceeded and DiskFull; nothing
    is stored then.
    """
    with audit.recording(
        services.db,
        course_id,
        by=by,
        action="exchange.release",
        message=message("audit.release", assignment=name),
    ):
        if fault := find_fault(name):
            raise Invalid("bad_name.assignment", name=name, fault=fault)
        with services.db.reading() as session:
            quotas.check_course(session, services.settings.limits, course_id)
        with index.storing_archive(services, course_id, pieces) as (session, archive, stale):
            find_course(session, course_id)
            row = session.get(Handout, (course_id, name))
            is_new = row is None
            if row is None:
                row = Handout(course_id=course_id, name=name)
                session.add(row)
            else:
                stale.append(row.blob)
            index.assign_archive(row, archive)
            row.notebooks = archive.contents.notebooks
            row.released_at = now()
            session.flush()
            quotas.check_course(session, services.settings.limits, course_id)
    return _to_schema(row, find_due_dates(services, course_id)), is_new


def open_assignment(
    services: Services, course_id: str, name: str
) -> tuple[BufferedReader, Handout]:
    """Open a released assignment's archive. Raises NotFound."""

    def find() -> Handout:
        with services.db.reading() as session:
            return find_assignment(session, course_id, name)

    return index.open_archive(services, course_id, find)


def withdraw_assignment(services: Services, course_id: str, name: str, *, by: str) -> None:
    """Release an assignment no longer. Submissions stay. Raises NotFound."""
    with audit.recording(
        services.db,
        course_id,
        by=by,
        action="exchange.withdraw",
        message=message("audit.withdraw", assignment=name),
    ):
        with services.db.session() as session:
            row = find_assignment(session, course_id, name)
            session.delete(row)
        index.open_store(services).remove(course_id, row.blob)


def _to_schema(row: Handout, dues: DueDates) -> ReleasedAssignment:
    return ReleasedAssignment(
        name=row.name,
        released_at=row.released_at,
        size=row.size,
        sha256=row.sha256,
        notebooks=row.notebooks,
        due_at=dues.of(row.name),
    )
