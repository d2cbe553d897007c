"""Who did what to which course when, and what came of it: for the course's teachers to read.

An entry outlives its course. What a request does is done within ``recording``. A job's entry is
written in the transaction that queues it, and its outcome in the one that ends it, so the two
never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kore.service.catalog import render
from kore.service.db.engine import Database
from kore.service.db.models import Audit, Job, Member, now
from kore.service.errors import KoreError
from kore.service.schemas import AuditEntry, AuditPage, describe
from kore.shared.messages import Message
from kore.shared.messages import message as make_message

_MAX_TEXT = 200


@dataclass(slots=True)
class Entry:
    """An entry before it is written: what is done may change its text, or make it needless."""

    message: Message
    needless: bool = False


def record(
    session: Session,
    course_id: str,
    *,
    by: str,
    action: str,
    message: Message,
    outcome: str = "done",
    job_id: str | None = None,
    gather: timedelta | None = None,
) -> None:
    """Write an entry within the caller's transaction.

    With ``gather`` an equal entry that is not older serves instead: for what a program does
    once for each student.
    """
    message = _shorten(message)
    if gather is not None and session.scalar(
        select(Audit.id)
        .where(
            Audit.course_id == course_id,
            Audit.at > now() - gather,
            Audit.by == by,
            Audit.action == action,
            Audit.message == message,
            Audit.outcome == outcome,
        )
        .limit(1)
    ):
        return
    session.add(
        Audit(
            course_id=course_id,
            by=by,
            by_name=name_of(session, course_id, by),
            action=action,
            message=message,
            outcome=outcome,
            job_id=job_id,
        )
    )


@contextmanager
def recording(
    db: Database,
    course_id: str,
    *,
    by: str,
    action: str,
    message: Message,
    gather: timedelta | None = None,
) -> Iterator[Entry]:
    """Record what the block does: as done at its end, as refused where it raises KoreError."""
    entry = Entry(message)
    try:
        yield entry
    except KoreError as error:
        record_refusal(db, course_id, by=by, action=action, message=entry.message, error=error)
        raise
    if entry.needless:
        return
    with db.session() as session:
        record(session, course_id, by=by, action=action, message=entry.message, gather=gather)


def record_refusal(
    db: Database, course_id: str, *, by: str, action: str, message: Message, error: KoreError
) -> None:
    """Record that something was asked for and refused, and why."""
    refused = make_message("audit.refused", action=message, reason=error.message)
    with db.session() as session:
        record(session, course_id, by=by, action=action, message=refused, outcome="refused")


def record_request(session: Session, job: Job, message: Message) -> None:
    """Record that a job was asked for; ``record_outcome`` writes what came of it."""
    assert job.course_id is not None
    record(
        session,
        job.course_id,
        by=job.created_by,
        action=job.kind,
        message=message,
        outcome="asked",
        job_id=job.id,
    )


def record_outcome(session: Session, job: Job) -> None:
    """Write what came of a job into its entry."""
    session.execute(
        update(Audit)
        .where(Audit.job_id == job.id, Audit.action == job.kind)
        .values(outcome=job.state.value)
    )


def list_entries(db: Database, course_id: str, *, page: int, per_page: int) -> AuditPage:
    """Return a page of a course's entries, the newest first. Pages count from 1."""
    account = render(make_message("audit.own_account"))
    with db.reading() as session:
        total = session.scalar(
            select(func.count()).select_from(Audit).where(Audit.course_id == course_id)
        )
        found = session.scalars(
            select(Audit)
            .where(Audit.course_id == course_id)
            .order_by(Audit.at.desc(), Audit.id.desc())
            .offset((page - 1) * per_page)
            .limit(per_page)
        )
        return AuditPage(
            entries=[
                AuditEntry(
                    at=row.at,
                    by=row.by,
                    by_name=account if row.by == course_id else row.by_name,
                    action=row.action,
                    message=describe(row.message),
                    outcome=row.outcome,
                    job=row.job_id,
                )
                for row in found
            ],
            total=total or 0,
        )


def name_of(session: Session, course_id: str, user: str) -> str:
    """Return a person's name as the LMS has it, best from this course; "" where it is unknown."""
    if user == course_id:
        return ""
    found = session.scalar(
        select(Member.name)
        .where(Member.user == user)
        .order_by((Member.course_id == course_id).desc(), Member.launched_at.desc())
        .limit(1)
    )
    return found or ""


def _shorten(message: Message) -> Message:
    """Return a message with the text of others cut short: an entry is kept for ever."""
    short = {
        key: value[:_MAX_TEXT] if isinstance(value, str) else value
        for key, value in message.params.items()
    }
    return Message(message.id, short)
