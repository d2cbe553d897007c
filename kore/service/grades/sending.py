"""The job that sends a course's grades, each score once, whatever happens on the way.

One thread writes to the database, a few others wait for the LMS. A score's row is committed
as SENDING, with the timestamp of its message, before the message leaves. After a kill such a
row says that the LMS may have the score. Then the LMS is asked, and what it lacks is sent
again as the very same message; an LMS that has it after all refuses it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable

from kore.service import jobs
from kore.service.db.models import ScoreState
from kore.service.errors import Invalid, UpstreamFailed
from kore.service.grades.line_items import find_or_create_line_item, require_grades
from kore.service.grades.plans import SEND, Entry, Plan, make_plan
from kore.service.grades.progress import SendRecorder
from kore.service.grades.tasks import Outcome, Task, describe_points
from kore.service.grades.worker_pool import WorkerPool, watch_for_cancel
from kore.service.jobs import JobContext
from kore.service.lti import ags as scopes
from kore.service.lti.ags import Ags
from kore.service.lti.ags_models import Result
from kore.service.lti.errors import (
    LtiError,
    NewerScoreError,
    RefusedError,
    StoppedError,
    UnavailableError,
)
from kore.service.services import Services
from kore.shared.messages import Message, message

log = logging.getLogger(__name__)

# Scores queued for each sending thread, so that none waits for the database.
_QUEUED_PER_THREAD = 8


def send(
    services: Services,
    course_id: str,
    *,
    by: str,
    resend: bool = False,
    only: Iterable[str] | None = None,
) -> str:
    """Queue the job that sends a course's grades; return its id.

    ``only`` names users as the preview does; the others are left out. Raises Conflict where
    the LMS accepts no grades, and Invalid for users who are not students of the course.
    """
    plan = make_plan(services, course_id)
    require_grades(plan.course)
    wanted = None if only is None else sorted(set(only))
    unknown = set(wanted or ()) - {entry.line.student.user for entry in plan.entries}
    if unknown:
        raise Invalid("student_unknown", n=len(unknown))
    entry = (
        message("audit.grades_send_some", n=len(wanted)) if wanted else message("audit.grades_send")
    )
    with services.db.session() as session:
        job = jobs.enqueue(
            session,
            SEND,
            course_id=course_id,
            created_by=by,
            params={"resend": resend, "only": wanted},
            message=entry,
        )
        return job.id


def run(ctx: JobContext) -> None:
    """Send what the plan says, and report on every student."""
    assert ctx.course_id is not None  # jobs of this kind are only created by ``send``
    plan = make_plan(ctx.services, ctx.course_id)
    require_grades(plan.course)
    try:
        _Sending(ctx, plan).run()
    except RefusedError as error:
        raise UpstreamFailed("lms_refused", reason=error.message) from error
    except UnavailableError as error:
        raise UpstreamFailed("lms_unavailable", reason=error.message) from error
    except StoppedError:
        log.info("Job %s was stopped", ctx.job_id)


class _Sending:
    """One run of the job. Only ``_send_one`` and what it calls run in the pool's threads."""

    def __init__(self, ctx: JobContext, plan: Plan) -> None:
        only = ctx.params.get("only")
        self._ctx = ctx
        self._course = plan.course
        self._maximum = plan.totals.maximum
        self._entries = {
            entry.line.student.user: entry
            for entry in plan.entries
            if only is None or entry.line.student.user in only
        }
        self._recorder = SendRecorder(ctx, students=len(self._entries))
        self._resend = bool(ctx.params.get("resend"))
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._failures_in_a_row = 0
        # The last of the failures that made this run give up.
        self._gave_up: Message | None = None
        platform = plan.course.platform
        self._limit = ctx.services.lti.limit
        self._ags: Ags = ctx.services.lti.ags(
            issuer=platform.issuer,
            client_id=platform.client_id,
            token_url=platform.token_url,
            service_hosts=platform.service_hosts.split(),
            offered=plan.course.ags_scopes.split(),
            stop=self._stop,
        )
        self._line_item_url = ""

    def run(self) -> None:
        """Report what needs no request, then send the rest."""
        settled: list[Outcome] = []
        tasks: list[Task] = []
        for entry in self._entries.values():
            decided = self._decide(entry)
            if isinstance(decided, Task):
                tasks.append(decided)
            else:
                settled.append(decided)
        self._recorder.record(settled, [])
        if not tasks:
            return
        with watch_for_cancel(self._ctx, self._stop):
            self._line_item_url = find_or_create_line_item(
                self._ctx.services, self._ags, self._course, self._maximum
            )
            self._send_all(self._resolve_repeated(tasks))
        if self._gave_up:
            raise UpstreamFailed("lms_unavailable.gave_up", reason=self._gave_up)

    def _decide(self, entry: Entry) -> Task | Outcome:
        """Return a score to send, or the outcome where no request is needed."""
        line, last, student = entry.line, entry.last, entry.line.student
        if last is not None and last.state == ScoreState.SENDING and student.sub is not None:
            return Task.repeat(student, student.sub, last)
        if (
            last is not None
            and last.job_id == self._ctx.job_id
            and last.state in {ScoreState.SENT, ScoreState.REFUSED}
        ):
            # An earlier attempt of this job got so far.
            reason = last.message or describe_points(last.given, last.maximum)
            return Outcome(student.user, student.name, ScoreState(last.state).value, reason)
        if line.given is None:
            return Outcome(student.user, student.name, "held_back", line.reason)
        if entry.unchanged and not self._resend:
            points = describe_points(line.given, entry.maximum)
            return Outcome(student.user, student.name, "unchanged", points)
        return Task.new(student, line.given, entry.maximum, after=last.timestamp if last else None)

    def _resolve_repeated(self, tasks: list[Task]) -> list[Task]:
        """Find out which scores of an interrupted attempt arrived; return what is to send."""
        if not any(task.repeated for task in tasks):
            return tasks
        there = self._read_results()
        settled: list[Outcome] = []
        remaining: list[Task] = []
        for task in tasks:
            result = there.get(task.score.sub)
            arrived = result is not None and result.matches(task.score)
            decided = self._resume(task, arrived=arrived) if task.repeated else task
            if isinstance(decided, Task):
                remaining.append(decided)
            else:
                settled.append(decided)
        self._recorder.record(settled, [])
        return remaining

    def _resume(self, task: Task, *, arrived: bool) -> Task | Outcome:
        """Return what becomes of an interrupted score; the plan may have changed since."""
        entry = self._entries[task.user]
        given, score = entry.line.given, task.score
        if given is None:
            state = ScoreState.SENT if arrived else ScoreState.FAILED
            return Outcome(task.user, task.name, "held_back", entry.line.reason, score, state)
        if (given, entry.maximum) != (score.given, score.maximum):
            return Task.new(entry.line.student, given, entry.maximum, after=score.timestamp)
        return task.report_sent() if arrived else task

    def _read_results(self) -> dict[str, Result]:
        if scopes.RESULT not in self._ags.granted_scopes():
            return {}
        try:
            return self._ags.list_results(self._line_item_url)
        except RefusedError as error:
            log.warning("Could not read the results of course %s: %s", self._course.id, error)
            return {}

    def _send_all(self, tasks: list[Task]) -> None:
        waiting = deque(tasks)
        outcomes: list[Outcome] = []
        pending = 0
        pool = WorkerPool(self._send_one, min(self._limit, len(tasks)))
        try:
            while waiting or pending or outcomes:
                batch: list[Task] = []
                if self._stop.is_set():
                    outcomes += self._drop(waiting)
                    waiting.clear()
                while waiting and pending + len(batch) < self._limit * _QUEUED_PER_THREAD:
                    batch.append(waiting.popleft())
                self._recorder.record(outcomes, batch)
                pool.submit(batch)
                pending += len(batch)
                outcomes = pool.collect(pending) if pending else []
                pending -= len(outcomes)
        finally:
            pool.close()

    def _drop(self, waiting: Iterable[Task]) -> list[Outcome]:
        """Report scores that are not sent; if Kore itself stops, the next attempt sends them."""
        if self._ctx.stopping.is_set():
            return []
        reason = message("grades.not_tried") if self._gave_up else message("grades.not_sent")
        # A row of an interrupted attempt must not stay in doubt for ever.
        return [task.report_failed(reason, tried=task.repeated) for task in waiting]

    def _send_one(self, task: Task) -> Outcome:
        """Send one score, in a thread of the pool; give up where the LMS does not answer.

        Not every student has to wait for the same timeout.
        """
        outcome = self._try(task)
        with self._lock:
            failed = outcome.state is ScoreState.FAILED
            self._failures_in_a_row = self._failures_in_a_row + 1 if failed else 0
            if self._failures_in_a_row >= self._limit and not self._stop.is_set():
                self._gave_up = outcome.message
                self._stop.set()
        return outcome

    def _try(self, task: Task) -> Outcome:
        """Send one score: whatever goes wrong stays this student's."""
        try:
            self._ags.send_score(self._line_item_url, task.score)
        except NewerScoreError as error:
            if not (task.repeated and self._is_ours(task)):
                return task.report_refused(error.message)
        except RefusedError as error:
            return task.report_refused(error.message)
        except StoppedError:
            if self._ctx.stopping.is_set():
                return task.leave_to_next_attempt()
            return task.report_failed(self._gave_up or message("grades.unconfirmed"))
        except LtiError as error:
            return task.report_failed(error.message)
        except Exception:
            log.exception("Could not send a score of job %s", self._ctx.job_id)
            return task.report_failed(message("internal"))
        return task.report_sent()

    def _is_ours(self, task: Task) -> bool:
        """Whether the LMS refuses a repeated score because it has that very score."""
        try:
            if scopes.RESULT not in self._ags.granted_scopes():
                return True
            results = self._ags.list_results(self._line_item_url, sub=task.score.sub)
        except LtiError:
            return True
        result = results.get(task.score.sub)
        return result is None or result.matches(task.score)
