"""Autograding an assignment's submissions as a job, in the course's own server.

Kore's account cannot, and must not, act as the course's: it starts the course's server and
has it grade (``extension``, ``batch``). Whose work is to be graded is kept with the job, so
that after a kill the next attempt grades the rest, what was begun included.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import select

from kore.service import jobs
from kore.service.coursedir import gradebook
from kore.service.coursedir.layout import gradebook_path
from kore.service.courseserver import ServerLostError, answering
from kore.service.db.models import Job, JobItem, JobState, Member
from kore.service.errors import KoreError
from kore.service.hubapi import ServerState
from kore.service.jobs import JobContext
from kore.service.services import Services
from kore.shared import endpoints
from kore.shared.messages import plain

log = logging.getLogger(__name__)

KIND = jobs.JobKind(
    "assignment.autograde", exclusive=True, subject=lambda params: params["assignment"]
)
_START_SECONDS = 180
_TICKET_BYTES = 32
_LOOK_SECONDS = 0.5
_AGAIN = "Grade again: what was graded stays, and the rest is done."


class _Graded(BaseModel):
    """What a course's server says of one student; nothing of it is trusted further."""

    student: str = Field(max_length=255)
    outcome: Literal["graded", "needs_manual", "failed", "skipped"]
    message: str = Field("", max_length=1000)
    log: str = Field("", max_length=50_000)
    score: float | None = Field(None, allow_inf_nan=False)
    maximum: float | None = Field(None, allow_inf_nan=False)


def begin(
    services: Services,
    course_id: str,
    *,
    by: str,
    assignment: str,
    students: list[str] | None,
    collect: bool,
    again: bool,
) -> str:
    """Queue the grading of what is new, of some, or of all again; return the job's id.

    Raises KoreError 404 where the course has no such assignment.
    """
    path = gradebook_path(services.host.course_root(course_id))
    if assignment not in {found.name for found in gradebook.list_assignments(path, course_id)}:
        raise KoreError(
            404,
            "assignment_unknown",
            "The course has no such assignment.",
            "Generate it in formgrader first: until then there is nothing to grade.",
        )
    params = {
        "assignment": assignment,
        "students": students,
        "collect": collect,
        "again": again,
    }
    words = f"Graded {assignment} automatically"
    with services.db.session() as session:
        job = jobs.enqueue(
            session, KIND, course_id=course_id, created_by=by, params=params, message=plain(words)
        )
        return job.id


def claim(services: Services, course_id: str, ticket: str) -> dict[str, Any]:
    """Return what the job of a ticket has to be graded; a ticket is good once.

    Raises KoreError 404 where no job of the course that is at work gave it.
    """
    with services.db.session() as session:
        for job in session.scalars(
            select(Job)
            .where(Job.course_id == course_id, Job.kind == KIND.name, Job.state == JobState.RUNNING)
            .with_for_update()
        ):
            if hmac.compare_digest(str(job.params.get("ticket", "")), _digest(ticket)):
                job.params = {**job.params, "ticket": ""}
                return dict(job.params["asked"])
    raise KoreError(404, "ticket_unknown", "No grading waits for this ticket.")


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def run(ctx: JobContext) -> None:
    """Have the course's server grade, and report on every student."""
    assert ctx.course_id is not None  # jobs of this kind are only made by ``begin``
    if not _server_runs(ctx):
        return
    grading = _Grading(ctx)
    try:
        grading.run()
    except ServerLostError as error:
        log.warning("Job %s: %s", ctx.job_id, error)
        grading.interrupted()
        raise KoreError(
            502,
            "autograding_interrupted",
            "The course's server did not grade to the end: it was stopped, or failed.",
            _AGAIN,
        ) from error


def _server_runs(ctx: JobContext) -> bool:
    """Start the course's server and wait for it; say whether it runs, or the job is to stop."""
    course_id, hub = str(ctx.course_id), ctx.services.hub
    ctx.progress(0, 0, plain("Starting the course's server"))
    deadline = time.monotonic() + _START_SECONDS
    state = hub.server_state(course_id)
    while state is not ServerState.RUNNING:
        if time.monotonic() > deadline:
            raise KoreError(
                502,
                "server_not_started",
                "The course's server does not start.",
                "Open the course in JupyterLab: it says why. Then try again.",
            )
        if state is ServerState.STOPPED:
            hub.start_server(course_id)
        if ctx.cancelled():
            return False
        ctx.stopping.wait(_LOOK_SECONDS)
        state = hub.server_state(course_id)
    return True


class _Grading:
    """One attempt of a job."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._todo: list[str] | None = ctx.params.get("todo")
        self._told = _reported(ctx)
        self._names = _names(ctx)
        self._begun = ""

    def run(self) -> None:
        """Grade until all is done, or the job is to stop."""
        settings = self._ctx.services.settings
        server = f"{settings.proxy_url}{settings.base_url}user/{self._ctx.course_id}"
        url = f"{server}/{endpoints.AUTOGRADE}"
        ticket = secrets.token_hex(_TICKET_BYTES)
        self._ctx.record(ticket=_digest(ticket), asked=self._asked())
        with answering(url, ticket) as events:
            finished = False
            for event in events:
                if self._ctx.cancelled():
                    return
                finished = finished or event.get("finished") is True
                self._take(event)
        if not finished:
            raise ServerLostError("the grading ended early")
        self._sum_up()

    def _asked(self) -> dict[str, Any]:
        params = self._ctx.params
        students = params["students"]
        if self._todo is not None:
            students = [student for student in self._todo if student not in self._told]
        return {
            "assignment": params["assignment"],
            "students": students,
            # Jobs from before there was a choice have none.
            "collect": params.get("collect", False) and self._todo is None,
            "again": params["again"],
        }

    def _take(self, event: dict[str, Any]) -> None:
        if "students" in event and self._todo is None:
            self._todo = _texts(event["students"])
            self._ctx.record(todo=self._todo)
        elif "collecting" in event:
            self._progress("Collecting what was handed in")
        elif "not_collected" in event:
            words = str(event["not_collected"])[:1000]
            raise KoreError(
                502,
                "collecting_failed",
                f"What was handed in could not be collected: {words}",
                "Collect it in formgrader, which shows nbgrader's log. Then grade again.",
            )
        elif "started" in event:
            self._begun = str(event["started"])[:255]
            self._progress(f"Grading {self._name(self._begun)}")
        elif "student" in event:
            self._report(event)

    def _report(self, event: dict[str, Any]) -> None:
        try:
            graded = _Graded.model_validate(event)
        except ValidationError as error:
            raise ServerLostError(f"an event makes no sense: {error}") from error
        if graded.student not in (self._todo or []) or graded.student in self._told:
            raise ServerLostError(f"{graded.student!r} was not to be graded")
        self._told[graded.student] = graded.outcome
        self._begun = ""
        self._ctx.item(
            graded.student,
            self._name(graded.student),
            graded.outcome,
            plain(graded.message),
            log=graded.log,
            score=graded.score,
            maximum=graded.maximum,
        )
        self._progress("")

    def _progress(self, message: str) -> None:
        self._ctx.progress(len(self._told), len(self._todo or []), plain(message))

    def _sum_up(self) -> None:
        if not self._todo:
            self._ctx.progress(0, 0, plain("Nothing new to grade."))
            return
        words = {
            "graded": "{n} graded",
            "needs_manual": "{n} graded in part, waiting for you",
            "failed": "{n} failed",
            "skipped": "{n} left out",
        }
        counts = Counter(self._told.values())
        told = [text.format(n=counts[kind]) for kind, text in words.items() if counts[kind]]
        self._progress(", ".join(told) + ".")

    def interrupted(self) -> None:
        """Report on whose work was being graded when the server was lost."""
        if self._begun in (self._todo or []) and self._begun not in self._told:
            words = "Interrupted while it was graded: grade this one again."
            self._ctx.item(self._begun, self._name(self._begun), "failed", plain(words))

    def _name(self, student: str) -> str:
        return self._names.get(student) or student


def _reported(ctx: JobContext) -> dict[str, str]:
    with ctx.services.db.reading() as session:
        rows = session.execute(
            select(JobItem.key, JobItem.outcome).where(JobItem.job_id == ctx.job_id)
        )
        return {row.key: row.outcome for row in rows}


def _names(ctx: JobContext) -> dict[str, str]:
    with ctx.services.db.reading() as session:
        found = session.execute(
            select(Member.user, Member.name).where(Member.course_id == ctx.course_id)
        )
        return {row.user: row.name for row in found}


def _texts(value: Any) -> list[str]:
    if not isinstance(value, Iterable) or not all(isinstance(item, str) for item in value):
        raise ServerLostError("what is to be graded is no list of students")
    return sorted({item[:255] for item in value})
