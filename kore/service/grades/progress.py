"""Records what sending does: score rows, the job's report, its progress."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.orm import Session

from kore.service.db.models import Job, JobItem, Score, ScoreState
from kore.service.grades.plans import TOTAL
from kore.service.grades.tasks import Outcome, Task
from kore.service.jobs import JobContext
from kore.service.lti import ags_models
from kore.shared.messages import Message, message

_COUNTS = {
    "sent": "count.sent",
    "unchanged": "count.unchanged",
    "held_back": "count.held_back",
    "refused": "count.refused",
    "failed": "count.failed",
}


class SendRecorder:
    """The records of one run of the job. For one thread."""

    def __init__(self, ctx: JobContext, *, students: int) -> None:
        self._ctx = ctx
        self._students = students
        self._counts: Counter[str] = Counter()

    def record(self, done: Iterable[Outcome], leaving: Iterable[Task]) -> None:
        """Record what is done and what is about to leave, in one transaction.

        One transaction for many: each one waits for the disk.
        """
        # Without an outcome a score stays SENDING, for the next attempt.
        reported = [outcome for outcome in done if outcome.outcome]
        self._counts.update(outcome.outcome for outcome in reported)
        with self._ctx.services.db.session() as session:
            for outcome in reported:
                if outcome.score is not None and outcome.state is not None:
                    self._store(
                        session, outcome.user, outcome.score, outcome.state, outcome.message
                    )
                self._report(session, outcome)
            for task in leaving:
                self._store(session, task.user, task.score, ScoreState.SENDING, None)
            session.execute(
                update(Job)
                .where(Job.id == self._ctx.job_id)
                .values(done=self._counts.total(), total=self._students, message=self._summarize())
            )

    def _report(self, session: Session, outcome: Outcome) -> None:
        score = outcome.score
        self._ctx.services.db.upsert(
            session,
            JobItem,
            {"job_id": self._ctx.job_id, "key": outcome.user},
            {
                "label": outcome.name,
                "outcome": outcome.outcome,
                "message": outcome.message,
                "detail": {"given": score.given, "maximum": score.maximum} if score else {},
            },
        )

    def _store(
        self,
        session: Session,
        user: str,
        score: ags_models.Score,
        state: ScoreState,
        reason: Message | None,
    ) -> None:
        self._ctx.services.db.upsert(
            session,
            Score,
            {"course_id": self._ctx.course_id, "assignment": TOTAL, "user": user},
            {
                "given": score.given,
                "maximum": score.maximum,
                "timestamp": score.timestamp,
                "state": state,
                "message": reason,
                "job_id": self._ctx.job_id,
            },
        )

    def _summarize(self) -> Message | None:
        """Return how many scores had which outcome; None before the first."""
        parts = [
            message(message_id, n=self._counts[outcome])
            for outcome, message_id in _COUNTS.items()
            if self._counts[outcome]
        ]
        return message("counts", parts=parts) if parts else None
