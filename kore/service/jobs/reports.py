"""What jobs say of themselves: their reports, how they end, and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import object_session

from kore.service import audit
from kore.service.db.engine import Database
from kore.service.db.models import Job, JobItem, JobState, now
from kore.service.errors import KoreError
from kore.service.schemas import JobInfo, JobItemInfo

FINAL = "no_return"
"""A job's parameter, set where what it began must be completed: see ``JobContext.no_return``."""

Subject = Callable[[dict[str, Any]], str | None]
"""Reads from a job's parameters the name of the one thing that it is about."""

subjects: dict[str, Subject] = {}
"""By kind of job, for those that are about one thing."""


def end(job: Job, state: JobState, message: str, hint: str = "") -> None:
    """Write down how a job ended, in its own session's transaction."""
    job.state = state
    job.ended_at = now()
    job.message = message
    job.hint = hint
    job.owner = None
    job.lease_until = None
    session = object_session(job)
    assert session is not None
    audit.ended(session, job)


def of_course(db: Database, course_id: str, *, most: int = 100) -> list[JobInfo]:
    """List a course's jobs, the newest first, without their items."""
    return _listed(db, Job.course_id == course_id, most)


def of_person(db: Database, user: str, *, most: int = 100) -> list[JobInfo]:
    """List the jobs that somebody began, the newest first, without their items."""
    return _listed(db, Job.created_by == user, most)


def _listed(db: Database, which: ColumnElement[bool], most: int) -> list[JobInfo]:
    with db.reading() as session:
        found = session.scalars(
            select(Job).where(which).order_by(Job.created_at.desc(), Job.id).limit(most)
        ).all()
        return [_info(job, []) for job in found]


def report(db: Database, job_id: str) -> JobInfo:
    """Return a job with its items, by label. Raises KoreError 404."""
    with db.reading() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise KoreError(404, "job_unknown", "There is no such job.")
        items = session.scalars(
            select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.label, JobItem.key)
        ).all()
        return _info(job, items)


def cancel(db: Database, job_id: str) -> None:
    """Ask a job to stop. One that nobody has begun ends at once; an ended one stays so.

    Raises KoreError 409 for one that must be completed.
    """
    with db.session() as session:
        job = session.get(Job, job_id, with_for_update=True)
        if job is None:
            raise KoreError(404, "job_unknown", "There is no such job.")
        if job.state is JobState.QUEUED:
            end(job, JobState.CANCELLED, "Cancelled before it began.")
        elif job.state is JobState.RUNNING and job.params.get(FINAL):
            raise KoreError(
                409,
                "too_late",
                "This cannot be stopped any more: a half of it would be worse than the whole.",
                "Wait until it has ended.",
            )
        elif job.state is JobState.RUNNING:
            job.cancel_asked = True


def _info(job: Job, items: Sequence[JobItem]) -> JobInfo:
    subject = subjects.get(job.kind)
    return JobInfo(
        id=job.id,
        kind=job.kind,
        course=job.course_id,
        subject=subject(job.params) if subject else None,
        state=job.state.value,
        done=job.done,
        total=job.total,
        message=job.message,
        hint=job.hint,
        created_by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        items=[
            JobItemInfo(
                key=item.key,
                label=item.label,
                outcome=item.outcome,
                words=item.words,
                detail=item.detail,
            )
            for item in items
        ],
    )
