"""Scores to send, and the outcome for each student."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kore.service.db.models import Score, ScoreState, now
from kore.service.grades.totals import Student
from kore.service.lti import ags_models
from kore.shared.messages import Message, message

# LMS compare times in whole seconds.
_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Task:
    """A score to send. ``repeated`` where the LMS may have it from before a kill."""

    user: str
    name: str
    score: ags_models.Score
    repeated: bool = False

    @classmethod
    def new(cls, student: Student, given: float, maximum: float, *, after: datetime | None) -> Task:
        """Return a new score, at least a second later than the one before (``after``)."""
        moment = now()
        # A score carries milliseconds, and must read the same when it is repeated.
        timestamp = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        if after is not None:
            timestamp = max(timestamp, after + _STEP)
        # Every student with a total has an LMS user id: the others are held back.
        assert student.sub is not None
        score = ags_models.Score(student.sub, given, maximum, timestamp)
        return cls(student.user, student.name, score)

    @classmethod
    def repeat(cls, student: Student, sub: str, row: Score) -> Task:
        """Return the very score that a row says was about to leave."""
        score = ags_models.Score(sub, row.given, row.maximum, row.timestamp)
        return cls(student.user, student.name, score, repeated=True)

    def report_sent(self) -> Outcome:
        """Return the outcome of a score that the LMS has."""
        points = describe_points(self.score.given, self.score.maximum)
        return Outcome(self.user, self.name, "sent", points, self.score, ScoreState.SENT)

    def report_refused(self, reason: Message) -> Outcome:
        """Return the outcome of a score that the LMS does not accept."""
        return Outcome(self.user, self.name, "refused", reason, self.score, ScoreState.REFUSED)

    def report_failed(self, reason: Message, *, tried: bool = True) -> Outcome:
        """Return the outcome of a score that the LMS may or may not have.

        If it was never ``tried``, what is known of the student stays as it is.
        """
        state = ScoreState.FAILED if tried else None
        return Outcome(self.user, self.name, "failed", reason, self.score, state)

    def leave_to_next_attempt(self) -> Outcome:
        """Return the outcome of a score that the job's next attempt resumes."""
        return Outcome(self.user, self.name, "", None, self.score)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A student's line in the report; none where ``outcome`` is "".

    ``state`` is the new state of the score's row, None to leave the row unchanged.
    """

    user: str
    name: str
    outcome: str
    message: Message | None
    score: ags_models.Score | None = None
    state: ScoreState | None = None


def describe_points(given: float, maximum: float) -> Message:
    """Return a score as a message."""
    return message("grades.points", given=given, n=maximum)
