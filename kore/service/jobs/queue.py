"""Jobs on their way into the queue."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service import audit
from kore.service.db.models import Job, JobState
from kore.service.jobs.job_kind import JobKind
from kore.shared.messages import Message


def enqueue(
    session: Session,
    kind: JobKind,
    *,
    course_id: str | None,
    created_by: str,
    params: dict[str, Any] | None = None,
    coalesce: bool = False,
    message: Message | None = None,
) -> Job:
    """Add a job to the queue within the caller's transaction, and return it.

    With ``coalesce`` a job of the same kind and course that has not started serves instead.
    ``message`` says in the course's audit what was asked for; only a quiet kind has none. Call
    ``Runner.wake`` after the commit.
    """
    if coalesce:
        waiting = session.scalar(
            select(Job)
            .where(Job.kind == kind.name, Job.course_id == course_id, Job.state == JobState.QUEUED)
            .with_for_update()
            .limit(1)
        )
        if waiting is not None:
            return waiting
    params = params or {}
    job = Job(
        id=secrets.token_hex(16),
        kind=kind.name,
        course_id=course_id,
        subject=kind.subject(params) if kind.subject else None,
        closes=kind.closes,
        created_by=created_by,
        params=params,
        state=JobState.QUEUED,
    )
    session.add(job)
    session.flush()
    if course_id is not None and not kind.quiet:
        if message is None:
            raise ValueError(f"a job of kind {kind.name} needs a message for the audit")
        audit.record_request(session, job, message)
    return job


def is_closed(session: Session, course_id: str) -> bool:
    """Whether a job at work closes a course: nothing is handed out or in there."""
    found = session.scalar(
        select(Job.id)
        .where(Job.course_id == course_id, Job.closes, Job.state == JobState.RUNNING)
        .limit(1)
    )
    return found is not None
