"""What jobs report, how they end, and how they are asked to stop."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import object_session

from kore.service import audit
from kore.service.db.engine import Database
from kore.service.db.models import Job, JobItem, JobState, now
from kore.service.errors import Conflict, NotFound
from kore.service.schemas import JobInfo, JobItemInfo, describe
from kore.shared.messages import Message, message

FINAL = "no_return"
"""A job's parameter, set where what it began must be completed: see ``JobContext.no_return``."""


def end_job(job: Job, state: JobState, reason: Message | None) -> None:
    """Write how a job ended, in its own session's transaction."""
    job.state = state
    job.ended_at = now()
    job.message = reason
    job.owner = None
    job.lease_until = None
    session = object_session(job)
    assert session is not None
    audit.record_outcome(session, job)


def list_jobs_of_course(db: Database, course_id: str, *, limit: int = 100) -> list[JobInfo]:
    """Return a course's jobs, the newest first, without their items."""
    return _list_jobs(db, Job.course_id == course_id, limit)


def list_jobs_of_person(db: Database, user: str, *, limit: int = 100) -> list[JobInfo]:
    """Return the jobs that someone began, the newest first, without their items."""
    return _list_jobs(db, Job.created_by == user, limit)


def _list_jobs(db: Database, which: ColumnElement[bool], limit: int) -> list[JobInfo]:
    with db.reading() as session:
        found = session.scalars(
            select(Job).where(which).order_by(Job.created_at.desc(), Job.id).limit(limit)
        ).all()
        return [_to_schema(job, []) for job in found]


def read_report(db: Database, job_id: str) -> JobInfo:
    """Return a job with its items, by label. Raises NotFound."""
    with db.reading() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise NotFound("job_unknown")
        items = session.scalars(
            select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.label, JobItem.key)
        ).all()
        return _to_schema(job, items)


def cancel(db: Database, job_id: str, *, by: str) -> None:
    """Ask a job to stop. One that has not started ends at once; an ended one stays as it is.

    Raises NotFound, and Conflict for one that must be completed.
    """
    with db.session() as session:
        job = session.get(Job, job_id, with_for_update=True)
        if job is None:
            raise NotFound("job_unknown")
        if job.state is JobState.QUEUED:
            end_job(job, JobState.CANCELLED, message("job_cancelled.before"))
        elif job.state is JobState.RUNNING and job.params.get(FINAL):
            raise Conflict("job_final")
        elif job.state is JobState.RUNNING:
            job.cancel_asked = True
        if job.course_id is not None:
            audit.record(
                session,
                job.course_id,
                by=by,
                action="job.cancel",
                message=message("audit.job_cancel"),
                job_id=job.id,
            )


def _to_schema(job: Job, items: Sequence[JobItem]) -> JobInfo:
    return JobInfo(
        id=job.id,
        kind=job.kind,
        course=job.course_id,
        subject=job.subject,
        state=job.state.value,
        done=job.done,
        total=job.total,
        message=describe(job.message),
        created_by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        items=[
            JobItemInfo(
                key=item.key,
                label=item.label,
                outcome=item.outcome,
                message=describe(item.message),
                detail=item.detail,
            )
            for item in items
        ],
    )
