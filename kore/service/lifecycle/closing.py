"""What comes before a course loses something: the title typed, nothing else under way, all shut."""

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
from kore.service.errors import Busy, KoreError
from kore.service.exchange import index
from kore.service.grades.plans import SEND as SENDING
from kore.service.hubapi import ServerState
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import Message
from kore.shared.messages import message as make_message

RESTORE = jobs.JobKind("course.restore", exclusive=True, closes=True)
RESET = jobs.JobKind("course.reset", exclusive=True, closes=True)
DELETE = jobs.JobKind("course.delete", exclusive=True, closes=True)
_UNDER_WAY = {
    SENDING.name: "Grades of this course are being sent to the LMS.",
    RESTORE.name: "The course is being restored already.",
    RESET.name: "The course is being reset already.",
    DELETE.name: "The course is being deleted already.",
}
_DASHES = re.compile("[\u2010-\u2015\u2212-]")
_STOP_SECONDS, _LOOK_SECONDS = 60, 0.2


def queue(
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

    Raises KoreError where the title was not typed, and 409 ``busy`` where something is under
    way that must not be disturbed.
    """
    try:
        with services.db.session() as session:
            services.db.lock_queue(session)
            check_title(find_course(session, course_id), confirm)
            _check_nothing_under_way(session, course_id)
            job = jobs.enqueue(
                session, kind, course_id=course_id, created_by=by, params=params, message=message
            )
            return job.id
    except Busy as error:
        refused = make_message("audit.refused", action=message, reason=error.message)
        with services.db.session() as session:
            audit.record(
                session, course_id, by=by, action=kind.name, message=refused, outcome="refused"
            )
        raise


def _check_nothing_under_way(session: Session, course_id: str) -> None:
    found = session.scalar(
        select(Job.kind).where(
            Job.course_id == course_id,
            Job.kind.in_(list(_UNDER_WAY)),
            Job.state.in_([JobState.QUEUED, JobState.RUNNING]),
        )
    )
    if found is not None:
        raise Busy(
            409,
            "busy",
            _UNDER_WAY[found],
            "Wait until that has ended, then try again.",
        )


def check_title(course: Course, typed: str) -> None:
    """Raise KoreError unless somebody typed the course's title; dashes and spaces are alike."""
    if _plain(typed) != _plain(course.title):
        raise KoreError(
            422,
            "title_differs",
            "What was typed is not the title of the course.",
            f"The title is: {course.title}",
        )


def _plain(text: str) -> str:
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    return " ".join(text.casefold().split())


def shut(ctx: jobs.JobContext) -> None:
    """Stop the course's server, and wait for whoever hands in at this moment.

    From here on nothing changes the course's exchange but this job, which closes it.
    """
    assert ctx.course_id is not None
    stop_server(ctx.services, ctx.course_id)
    with ctx.services.db.session() as session:
        index.lock_course(session, ctx.course_id, closing=True)


def stop_server(services: Services, course_id: str) -> None:
    """Stop a course's server, and wait until it has stopped. Raises KoreError after a minute."""
    deadline, beat = time.monotonic() + _STOP_SECONDS, threading.Event()
    services.hub.stop_server(course_id)
    while services.hub.server_state(course_id) is not ServerState.STOPPED:
        if time.monotonic() > deadline:
            raise KoreError(
                503,
                "server_runs",
                "The course's JupyterLab does not stop.",
                "Stop it in the hub's control panel, then try again.",
            )
        beat.wait(_LOOK_SECONDS)
        services.hub.stop_server(course_id)
