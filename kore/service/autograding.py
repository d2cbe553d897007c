"""The job that autogrades an assignment's submissions in the course's own server.

Kore's account cannot, and must not, act as the course's: it starts the course's server and
asks it to grade (``kore.singleuser.autograding``). The students to grade are kept with the
job, so that after a kill the next attempt grades the rest, including work it had started.
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
from kore.service.errors import NotFound, UpstreamFailed
from kore.service.hubapi import ServerState
from kore.service.jobs import JobContext
from kore.service.services import Services
from kore.shared import endpoints
from kore.shared.messages import Message, message, plain

log = logging.getLogger(__name__)

KIND = jobs.JobKind(
    "assignment.autograde", exclusive=True, subject=lambda params: params["assignment"]
)
_START_SECONDS = 180
_TICKET_BYTES = 32
_POLL_SECONDS = 0.5
_COUNTS = {
    "graded": "count.graded",
    "needs_manual": "count.needs_manual",
    "failed": "count.failed",
    "skipped": "count.skipped",
}


class _Graded(BaseModel):
    """What a course's server says about one student. It is not trusted further."""

    student: str = Field(max_length=255)
    outcome: Literal["graded", "needs_manual", "failed", "skipped"]
    reason: str = Field("", max_length=1000)
    log: str = Field("", max_length=50_000)
    score: float | None = Field(None, allow_inf_nan=False)
    maximum: float | None = Field(None, allow_inf_nan=False)

    def describe(self) -> Message | None:
        """Return the outcome for a teacher, None where there is nothing to add."""
        match self.outcome:
            case "needs_manual":
                return message("autograde.needs_manual")
            case "skipped":
                return message("autograde.not_collected")
            case "failed":
                return plain(self.reason) if self.reason else message("autograde.failed")
        return None


def enqueue(
    services: Services,
    course_id: str,
    *,
    by: str,
    assignment: str,
    students: list[str] | None,
    collect: bool,
    again: bool,
) -> str:
    """Queue the grading of new work, of some students, or of all again; return the job's id.

    Raises NotFound where the course has no such assignment.
    """
    path = gradebook_path(services.host.course_root(course_id))
    if assignment not in {found.name for found in gradebook.list_assignments(path, course_id)}:
        raise NotFound("assignment_unknown.not_generated")
    params = {
        "assignment": assignment,
        "students": students,
        "collect": collect,
        "again": again,
    }
    with services.db.session() as session:
        job = jobs.enqueue(
            session,
            KIND,
            course_id=course_id,
            created_by=by,
            params=params,
            message=message("audit.autograde", assignment=assignment),
        )
        return job.id


def claim(services: Services, course_id: str, ticket: str) -> dict[str, Any]:
    """Return what the job of a ticket wants graded; a ticket can be used once.

    Raises NotFound where no running job of the course has this ticket.
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
    raise NotFound("ticket_unknown")


def _digest(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


def run(ctx: JobContext) -> None:
    """Have the course's server grade, and report on every student."""
    assert ctx.course_id is not None  # jobs of this kind are only created by ``enqueue``
    if not _start_server(ctx):
        return
    grading = _Grading(ctx)
    try:
        grading.run()
    except ServerLostError as error:
        log.warning("Job %s: %s", ctx.job_id, error)
        grading.report_interrupted()
        raise UpstreamFailed("autograding_interrupted") from error


def _start_server(ctx: JobContext) -> bool:
    """Start the course's server and wait until it runs. False if the job is to stop."""
    course_id, hub = str(ctx.course_id), ctx.services.hub
    ctx.progress(0, 0, message("autograde.starting_server"))
    deadline = time.monotonic() + _START_SECONDS
    state = hub.server_state(course_id)
    while state is not ServerState.RUNNING:
        if time.monotonic() > deadline:
            raise UpstreamFailed("server_not_started")
        if state is ServerState.STOPPED:
            hub.start_server(course_id)
        if ctx.cancelled():
            return False
        ctx.stopping.wait(_POLL_SECONDS)
        state = hub.server_state(course_id)
    return True


class _Grading:
    """One attempt of a job."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._todo: list[str] | None = ctx.params.get("todo")
        self._outcomes = _read_outcomes(ctx)
        self._names = _read_names(ctx)
        self._current = ""

    def run(self) -> None:
        """Grade until all is done, or the job is to stop."""
        settings = self._ctx.services.settings
        server = f"{settings.proxy_url}{settings.base_url}user/{self._ctx.course_id}"
        url = f"{server}/{endpoints.AUTOGRADE}"
        ticket = secrets.token_hex(_TICKET_BYTES)
        self._ctx.record(ticket=_digest(ticket), asked=self._build_request())
        with answering(url, ticket) as events:
            finished = False
            for event in events:
                if self._ctx.cancelled():
                    return
                finished = finished or event.get("finished") is True
                self._handle(event)
        if not finished:
            raise ServerLostError("the grading ended early")
        self._summarize()

    def _build_request(self) -> dict[str, Any]:
        params = self._ctx.params
        students = params["students"]
        if self._todo is not None:
            students = [student for student in self._todo if student not in self._outcomes]
        return {
            "assignment": params["assignment"],
            "students": students,
            # Jobs from before there was a choice have none.
            "collect": params.get("collect", False) and self._todo is None,
            "again": params["again"],
        }

    def _handle(self, event: dict[str, Any]) -> None:
        if "students" in event and self._todo is None:
            self._todo = _read_students(event["students"])
            self._ctx.record(todo=self._todo)
        elif "collecting" in event:
            self._progress(message("autograde.collecting"))
        elif "not_collected" in event:
            reason = str(event["not_collected"])[:1000]
            raise UpstreamFailed(
                "collecting_failed",
                reason=plain(reason) if reason else message("autograde.no_reason"),
            )
        elif "started" in event:
            self._current = str(event["started"])[:255]
            self._progress(message("autograde.grading", student=self._name(self._current)))
        elif "student" in event:
            self._report(event)

    def _report(self, event: dict[str, Any]) -> None:
        try:
            graded = _Graded.model_validate(event)
        except ValidationError as error:
            raise ServerLostError(f"an event makes no sense: {error}") from error
        if graded.student not in (self._todo or []) or graded.student in self._outcomes:
            raise ServerLostError(f"{graded.student!r} was not to be graded")
        self._outcomes[graded.student] = graded.outcome
        self._current = ""
        self._ctx.item(
            graded.student,
            self._name(graded.student),
            graded.outcome,
            graded.describe(),
            log=graded.log,
            score=graded.score,
            maximum=graded.maximum,
        )
        self._progress(None)

    def _progress(self, text: Message | None) -> None:
        self._ctx.progress(len(self._outcomes), len(self._todo or []), text)

    def _summarize(self) -> None:
        if not self._todo:
            self._ctx.progress(0, 0, message("autograde.nothing_new"))
            return
        counts = Counter(self._outcomes.values())
        parts = [
            message(message_id, n=counts[outcome])
            for outcome, message_id in _COUNTS.items()
            if counts[outcome]
        ]
        self._progress(message("counts", parts=parts))

    def report_interrupted(self) -> None:
        """Report the student whose work was being graded when the server was lost."""
        student = self._current
        if student in (self._todo or []) and student not in self._outcomes:
            interrupted = message("autograde.interrupted")
            self._ctx.item(student, self._name(student), "failed", interrupted)

    def _name(self, student: str) -> str:
        return self._names.get(student) or student


def _read_outcomes(ctx: JobContext) -> dict[str, str]:
    with ctx.services.db.reading() as session:
        rows = session.execute(
            select(JobItem.key, JobItem.outcome).where(JobItem.job_id == ctx.job_id)
        )
        return {row.key: row.outcome for row in rows}


def _read_names(ctx: JobContext) -> dict[str, str]:
    with ctx.services.db.reading() as session:
        found = session.execute(
            select(Member.user, Member.name).where(Member.course_id == ctx.course_id)
        )
        return {row.user: row.name for row in found}


def _read_students(value: Any) -> list[str]:
    if not isinstance(value, Iterable) or not all(isinstance(item, str) for item in value):
        raise ServerLostError("the students to grade are not a list of names")
    return sorted({item[:255] for item in value})
