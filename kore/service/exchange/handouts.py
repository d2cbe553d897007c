"""Assignments as teachers release them and their people fetch them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BufferedReader

from sqlalchemy import select

from kore.service.catalog import render
from kore.service.coursedir.duedates import find_due_dates
from kore.service.coursedir.gradebook import DueDates
from kore.service.db.models import Handout, now
from kore.service.errors import KoreError
from kore.service.exchange import index, quotas
from kore.service.exchange.schemas import HandoutInfo
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.names import find_fault, shown


def unknown_assignment() -> KoreError:
    """Return the error for an assignment that is not released."""
    return KoreError(
        404,
        "assignment_unknown",
        "No such assignment is released in this course.",
        "Ask the teachers of the course whether it is released.",
    )


def listed(services: Services, course_id: str) -> list[HandoutInfo]:
    """List what is released in a course, by name."""
    with services.db.reading() as session:
        rows = session.scalars(
            select(Handout).where(Handout.course_id == course_id).order_by(Handout.name)
        ).all()
    dues = find_due_dates(services, course_id)
    return [_info(row, dues) for row in rows]


def release(
    services: Services, course_id: str, name: str, pieces: Iterable[bytes]
) -> tuple[HandoutInfo, bool]:
    """Store an assignment's archive in the place of an earlier one; say whether it is new."""
    fault = find_fault(name)
    if fault is not None:
        raise KoreError(
            422,
            "bad_name",
            f"The assignment's name {shown(name)} {render(fault)}.",
            "Give the assignment another name.",
        )
    with services.db.reading() as session:
        quotas.check_course(session, services.settings.limits, course_id)
    with index.storing(services, course_id, pieces) as (session, archive, stale):
        find_course(session, course_id)
        row = session.get(Handout, (course_id, name))
        new = row is None
        if row is None:
            row = Handout(course_id=course_id, name=name)
            session.add(row)
        else:
            stale.append(row.blob)
        index.put(row, archive)
        row.notebooks = archive.contents.notebooks
        row.released_at = now()
        session.flush()
        quotas.check_course(session, services.settings.limits, course_id)
    return _info(row, find_due_dates(services, course_id)), new


def fetch(services: Services, course_id: str, name: str) -> tuple[BufferedReader, Handout]:
    """Open a released assignment's archive. Raises KoreError where there is none."""

    def look() -> Handout:
        with services.db.reading() as session:
            row = session.get(Handout, (course_id, name))
        if row is None:
            raise unknown_assignment()
        return row

    return index.opened(services, course_id, look)


def withdraw(services: Services, course_id: str, name: str) -> None:
    """Take an assignment back. What was handed in stays."""
    with services.db.session() as session:
        row = session.get(Handout, (course_id, name))
        if row is None:
            raise unknown_assignment()
        session.delete(row)
    index.store(services).remove(course_id, row.blob)


def _info(row: Handout, dues: DueDates) -> HandoutInfo:
    return HandoutInfo(
        name=row.name,
        released_at=row.released_at,
        size=row.size,
        sha256=row.sha256,
        notebooks=row.notebooks,
        due_at=dues.of(row.name),
    )
