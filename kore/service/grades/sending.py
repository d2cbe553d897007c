"""The job that sends a course's grades, each score once, whatever happens on the way.

One thread writes to the database, a few others wait for the LMS. A score's row is committed
as SENDING, with the timestamp of its message, before the message leaves. After a kill such
a row says: the LMS may have this. Then the LMS is asked; and what it does not have is sent
again as the very same message, which an LMS that has it after all refuses.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable

from kore.service import jobs
from kore.service.db.models import ScoreState
from kore.service.errors import KoreError
from kore.service.grades.columns import column_for, require_grades
from kore.service.grades.plans import SEND, Entry, Plan, plan
from kore.service.grades.progress import Ledger
from kore.service.grades.tasks import Outcome, Task, points
from kore.service.grades.worker_pool import Crew, stopping_with
from kore.service.jobs import JobContext
from kore.service.lti import ags as lti
from kore.service.lti.ags import Ags, Result
from kore.service.lti.errors import (
    LtiError,
    NewerError,
    RefusedError,
    StoppedError,
    UnavailableError,
)
from kore.service.services import Services
from kore.shared.messages import plain

log = logging.getLogger(__name__)

# Scores handed out for each sender, so that none waits for the database.
_AHEAD = 8


def send(
    services: Services,
    course_id: str,
    *,
    by: str,
    resend: bool = False,
    only: Iterable[str] | None = None,
) -> str:
    """Queue the sending of a course's grades and return the job's id.

    ``only`` names users as the preview does; the others are left out. Raises KoreError
    where the LMS takes no grades, or for a user who is no student of the course.
    """
    it = plan(services, course_id)
    require_grades(it.course)
    wanted = None if only is None else sorted(set(only))
    strangers = set(wanted or ()) - {entry.line.student.user for entry in it.entries}
    if strangers:
        raise KoreError(
            422,
            "student_unknown",
            f"{len(strangers)} of the users to send for are no students of this course.",
            "Use the user names of the preview.",
        )
    params = {"resend": resend, "only": wanted}
    with services.db.session() as session:
        job = jobs.enqueue(
            session,
            SEND,
            course_id=course_id,
            created_by=by,
            params=params,
            message=plain("Sent grades to the LMS" + (f", for {len(wanted)}" if wanted else "")),
        )
        return job.id


def run(ctx: JobContext) -> None:
    """Send what the plan says, and report on every student."""
    assert ctx.course_id is not None  # jobs of this kind are only made by ``send``
    it = plan(ctx.services, ctx.course_id)
    require_grades(it.course)
    try:
        _Sending(ctx, it).run()
    except RefusedError as error:
        raise KoreError(
            502,
            "lms_refused",
            str(error),
            "Ask the LMS's administrator to look at the tool's settings there, then send again: "
            "what has arrived is not sent twice.",
        ) from error
    except UnavailableError as error:
        raise _unavailable(str(error)) from error
    except StoppedError:
        log.info("Job %s was stopped", ctx.job_id)


def _unavailable(words: str) -> KoreError:
    hint = "Send again later: what has arrived is not sent twice."
    return KoreError(502, "lms_unavailable", words, hint)


class _Sending:
    """One run of the job. All but ``_deliver`` and what it calls is for the job's own thread."""

    def __init__(self, ctx: JobContext, it: Plan) -> None:
        only = ctx.params.get("only")
        self._ctx = ctx
        self._course = it.course
        self._maximum = it.totals.maximum
        self._entries = {
            entry.line.student.user: entry
            for entry in it.entries
            if only is None or entry.line.student.user in only
        }
        self._ledger = Ledger(ctx, students=len(self._entries))
        self._resend = bool(ctx.params.get("resend"))
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._lost_in_a_row = 0
        # The words of the failures that made this run give up.
        self._silence = ""
        platform = it.course.platform
        self._limit = ctx.services.lti.limit
        self._ags: Ags = ctx.services.lti.ags(
            issuer=platform.issuer,
            client_id=platform.client_id,
            token_url=platform.token_url,
            offered=it.course.ags_scopes.split(),
            stop=self._stop,
        )
        self._column = ""

    def run(self) -> None:
        """Settle what needs no request, then send the rest."""
        settled: list[Outcome] = []
        tasks: list[Task] = []
        for entry in self._entries.values():
            it = self._sort(entry)
            if isinstance(it, Task):
                tasks.append(it)
            else:
                settled.append(it)
        self._ledger.write(settled, [])
        if not tasks:
            return
        with stopping_with(self._ctx, self._stop):
            self._column = column_for(self._ctx.services, self._ags, self._course, self._maximum)
            self._send(self._resolve(tasks))
        if self._silence:
            raise _unavailable(f"Given up, as the LMS stopped answering. {self._silence}")

    def _sort(self, entry: Entry) -> Task | Outcome:
        """Return a score to send, or the outcome for whom no request is needed."""
        line, last, student = entry.line, entry.last, entry.line.student
        if last is not None and last.state == ScoreState.SENDING and student.sub is not None:
            return Task.again(student, student.sub, last)
        if (
            last is not None
            and last.job_id == self._ctx.job_id
            and last.state in {ScoreState.SENT, ScoreState.REFUSED}
        ):
            # An earlier attempt of this job got so far.
            message = last.message or points(last.given, last.maximum)
            return Outcome(student.user, student.name, ScoreState(last.state).value, message)
        if line.given is None:
            return Outcome(student.user, student.name, "held_back", plain(line.reason))
        if entry.unchanged and not self._resend:
            words = points(line.given, entry.maximum)
            return Outcome(student.user, student.name, "unchanged", words)
        return Task.new(student, line.given, entry.maximum, after=last.timestamp if last else None)

    def _resolve(self, tasks: list[Task]) -> list[Task]:
        """Find out which scores of an interrupted attempt arrived; return what is to send."""
        if not any(task.repeated for task in tasks):
            return tasks
        there = self._read_back()
        settled: list[Outcome] = []
        remaining: list[Task] = []
        for task in tasks:
            result = there.get(task.score.sub)
            arrived = result is not None and result.is_that_of(task.score)
            it = self._take_up(task, arrived=arrived) if task.repeated else task
            if isinstance(it, Task):
                remaining.append(it)
            else:
                settled.append(it)
        self._ledger.write(settled, [])
        return remaining

    def _take_up(self, task: Task, *, arrived: bool) -> Task | Outcome:
        """Return what an interrupted score becomes; the plan may have changed since."""
        entry = self._entries[task.user]
        given, score = entry.line.given, task.score
        if given is None:
            state = ScoreState.SENT if arrived else ScoreState.FAILED
            words = plain(entry.line.reason)
            return Outcome(task.user, task.name, "held_back", words, score, state)
        if (given, entry.maximum) != (score.given, score.maximum):
            return Task.new(entry.line.student, given, entry.maximum, after=score.timestamp)
        return task.sent() if arrived else task

    def _read_back(self) -> dict[str, Result]:
        if lti.RESULT not in self._ags.granted():
            return {}
        try:
            return self._ags.results(self._column)
        except RefusedError as error:
            log.warning("Results of course %s cannot be read: %s", self._course.id, error)
            return {}

    def _send(self, tasks: list[Task]) -> None:
        waiting = deque(tasks)
        outcomes: list[Outcome] = []
        under_way = 0
        crew = Crew(self._deliver, min(self._limit, len(tasks)))
        try:
            while waiting or under_way or outcomes:
                batch: list[Task] = []
                if self._stop.is_set():
                    outcomes += self._leave(waiting)
                    waiting.clear()
                while waiting and under_way + len(batch) < self._limit * _AHEAD:
                    batch.append(waiting.popleft())
                self._ledger.write(outcomes, batch)
                crew.give(batch)
                under_way += len(batch)
                outcomes = crew.take(under_way) if under_way else []
                under_way -= len(outcomes)
        finally:
            crew.dismiss()

    def _leave(self, waiting: Iterable[Task]) -> list[Outcome]:
        """Give up what was not handed out; where Kore itself ends, the next attempt has it."""
        if self._ctx.stopping.is_set():
            return []
        if self._silence:
            words = "Not tried: the LMS did not answer for those before."
        else:
            words = "Not sent: the job was stopped before."
        # A row of an interrupted attempt must not stay in doubt for ever.
        return [task.failed(plain(words), tried=task.repeated) for task in waiting]

    def _deliver(self, task: Task) -> Outcome:
        """Send one score, in a thread of the crew; stop trying where the LMS is away.

        Not every student has to wait for its silence anew.
        """
        outcome = self._try(task)
        with self._lock:
            lost = outcome.state is ScoreState.FAILED
            self._lost_in_a_row = self._lost_in_a_row + 1 if lost else 0
            if self._lost_in_a_row >= self._limit and not self._stop.is_set():
                self._silence = str(outcome.message)
                self._stop.set()
        return outcome

    def _try(self, task: Task) -> Outcome:
        """Send one score: whatever it meets stays this student's."""
        try:
            self._ags.send(self._column, task.score)
        except NewerError as error:
            if not (task.repeated and self._is_ours(task)):
                return task.refused(plain(str(error)))
        except RefusedError as error:
            return task.refused(plain(str(error)))
        except StoppedError:
            if self._ctx.stopping.is_set():
                return task.left()
            stopped = "The job was stopped before the LMS confirmed this score."
            return task.failed(plain(self._silence or stopped))
        except LtiError as error:
            return task.failed(plain(str(error)))
        except Exception:
            log.exception("A score of job %s could not be sent", self._ctx.job_id)
            return task.failed(plain("Something went wrong inside Kore; its log says what."))
        return task.sent()

    def _is_ours(self, task: Task) -> bool:
        """Whether what makes the LMS refuse a repeated score is that score itself."""
        try:
            if lti.RESULT not in self._ags.granted():
                return True
            result = self._ags.results(self._column, sub=task.score.sub).get(task.score.sub)
        except LtiError:
            return True
        return result is None or result.is_that_of(task.score)
