"""The kinds of jobs that there are, and jobs on their way into the queue."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service import audit
from kore.service.db.models import Job, JobState
from kore.service.jobs.context import JobContext
from kore.service.jobs.reports import Subject, subjects

Handler = Callable[[JobContext], None]
handlers: dict[str, Handler] = {}
alone_kinds: set[str] = set()
closing_kinds: set[str] = set()
quiet_kinds: set[str] = set()


def handler(
    kind: str,
    *,
    alone: bool = False,
    closes: bool = False,
    quiet: bool = False,
    subject: Subject | None = None,
) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of a kind.

    With ``alone`` a job waits while another such job, of whatever kind, works on its course.
    While one that ``closes`` works, nothing is handed out or in there. A ``quiet`` kind is
    Kore's own doing and leaves no trace in the course's audit. ``subject`` tells from a job's
    parameters what answers name as what it is about.
    """

    def register(function: Handler) -> Handler:
        handlers[kind] = function
        for given, kinds in ((alone, alone_kinds), (closes, closing_kinds), (quiet, quiet_kinds)):
            if given:
                kinds.add(kind)
        if subject is not None:
            subjects[kind] = subject
        return function

    return register


def enqueue(
    session: Session,
    kind: str,
    *,
    course_id: str | None,
    created_by: str,
    params: dict[str, Any] | None = None,
    coalesce: bool = False,
    words: str = "",
) -> Job:
    """Add a job to the queue within the caller's transaction, and return it.

    With ``coalesce`` a job of the same kind and course that nobody has begun serves instead.
    ``words`` say in the course's audit what was asked for. Call ``Runner.wake`` after the
    commit.
    """
    if coalesce:
        waiting = session.scalar(
            select(Job)
            .where(Job.kind == kind, Job.course_id == course_id, Job.state == JobState.QUEUED)
            .with_for_update()
            .limit(1)
        )
        if waiting is not None:
            return waiting
    job = Job(
        id=secrets.token_hex(16),
        kind=kind,
        course_id=course_id,
        created_by=created_by,
        params=params or {},
        state=JobState.QUEUED,
    )
    session.add(job)
    session.flush()
    if course_id is not None and kind not in quiet_kinds:
        audit.asked(session, job, words or kind)
    return job


def closed_by(session: Session, course_id: str) -> str | None:
    """Return the kind of the job at work that closes a course; None where it is open."""
    return session.scalar(
        select(Job.kind).where(
            Job.course_id == course_id,
            Job.kind.in_(closing_kinds),
            Job.state == JobState.RUNNING,
        )
    )
