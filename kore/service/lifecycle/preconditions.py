"""Checks and steps before a destructive job: title confirmed, no other job, server stopped."""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service import audit, jobs
from kore.service.db.models import Course, Job, JobState
from kore.service.errors import Busy, Cancelled, Invalid, Unavailable
from kore.service.exchange import index
from kore.service.grades.plans import SEND
from kore.service.hubapi import ServerState
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import Message

RESTORE = jobs.JobKind("course.restore", exclusive=True, closes=True)
RESET = jobs.JobKind("course.reset", exclusive=True, closes=True)
DELETE = jobs.JobKind("course.delete", exclusive=True, closes=True)
_EXCLUDING = {
    SEND.name: "busy.grades",
    RESTORE.name: "busy.restore",
    RESET.name: "busy.reset",
    DELETE.name: "busy.delete",
}
_DASHES = re.compile("[\u2010-\u2015\u2212-]")
_STOP_SECONDS, _POLL_SECONDS = 60, 0.2


def queue_job(
    services: Services,
    kind: jobs.JobKind,
    course_id: str,
    *,
    by: str,
    confirm: str,
    message: Message,
    params: dict[str, Any],
) -> str:
    """Queue a job that closes a course; return its id.

    Raises Invalid where the title was not typed, and Busy where another job is under way that
    must not be disturbed.
    """
    try:
        with services.db.session() as session:
            services.db.lock_queue(session)
            check_title(find_course(session, course_id), confirm)
            _check_no_other_job(session, course_id)
            job = jobs.enqueue(
                session, kind, course_id=course_id, created_by=by, params=params, message=message
            )
            return job.id
    except Busy as error:
        audit.record_refusal(
            services.db, course_id, by=by, action=kind.name, message=message, error=error
        )
        raise


def check_title(course: Course, typed: str) -> None:
    """Raise Invalid unless the course's title was typed; dashes, case and spaces do not matter."""
    if _normalize(typed) != _normalize(course.title):
        raise Invalid("title_differs", title=course.title)


def stop_if_cancelled(ctx: jobs.JobContext) -> None:
    """Raise Cancelled where someone asked the job to stop."""
    if ctx.cancelled():
        raise Cancelled("job_cancelled.unchanged")


def close_course(ctx: jobs.JobContext) -> None:
    """Stop the course's server, and wait for everyone who is submitting at this moment.

    From here on nothing changes the course's exchange but this job, which closes it.
    """
    assert ctx.course_id is not None
    stop_server(ctx.services, ctx.course_id)
    with ctx.services.db.session() as session:
        index.lock_course(session, ctx.course_id, closing=True)


def stop_server(services: Services, course_id: str) -> None:
    """Stop a course's server, and wait until it has stopped. Raises Unavailable after a minute."""
    deadline, pause = time.monotonic() + _STOP_SECONDS, threading.Event()
    services.hub.stop_server(course_id)
    while services.hub.server_state(course_id) is not ServerState.STOPPED:
        if time.monotonic() > deadline:
            raise Unavailable("server_runs")
        pause.wait(_POLL_SECONDS)
        services.hub.stop_server(course_id)


def _check_no_other_job(session: Session, course_id: str) -> None:
    found = session.scalar(
        select(Job.kind).where(
            Job.course_id == course_id,
            Job.kind.in_(list(_EXCLUDING)),
            Job.state.in_([JobState.QUEUED, JobState.RUNNING]),
        )
    )
    if found is not None:
        raise Busy(_EXCLUDING[found])


def _normalize(text: str) -> str:
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    return " ".join(text.casefold().split())
