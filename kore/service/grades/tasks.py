"""A score on its way to the LMS, and what became of a student in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kore.service.db.models import Score, ScoreState, now
from kore.service.grades.totals import Student
from kore.service.lti import ags
from kore.shared.messages import Message, plain

# LMS compare times in whole seconds.
_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Task:
    """A score to send. ``repeated`` where the LMS may have it from before a kill."""

    user: str
    name: str
    score: ags.Score
    repeated: bool = False

    @classmethod
    def new(cls, student: Student, given: float, maximum: float, *, after: datetime | None) -> Task:
        """Return a new message, later than the one before (``after``) by a second at least."""
        moment = now()
        # The message carries milliseconds, and must read the same when it is repeated.
        timestamp = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        if after is not None:
            timestamp = max(timestamp, after + _STEP)
        # Whoever has a total is known to the LMS: the others are held back.
        assert student.sub is not None
        return cls(student.user, student.name, ags.Score(student.sub, given, maximum, timestamp))

    @classmethod
    def again(cls, student: Student, sub: str, row: Score) -> Task:
        """Return the very message that a row says was about to leave."""
        score = ags.Score(sub, row.given, row.maximum, row.timestamp)
        return cls(student.user, student.name, score, repeated=True)

    def sent(self) -> Outcome:
        """Return the outcome of a score that the LMS has."""
        words = points(self.score.given, self.score.maximum)
        return Outcome(self.user, self.name, "sent", words, self.score, ScoreState.SENT)

    def refused(self, words: Message) -> Outcome:
        """Return the outcome of a score that the LMS does not take."""
        return Outcome(self.user, self.name, "refused", words, self.score, ScoreState.REFUSED)

    def failed(self, words: Message, *, tried: bool = True) -> Outcome:
        """Return the outcome of a score of which it is not known that the LMS has it.

        One that was never ``tried`` leaves what is known of the student as it is.
        """
        state = ScoreState.FAILED if tried else None
        return Outcome(self.user, self.name, "failed", words, self.score, state)

    def left(self) -> Outcome:
        """Return the outcome of a score that the job's next attempt takes up."""
        return Outcome(self.user, self.name, "", None, self.score)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A student's line in the report; none where ``outcome`` is "".

    ``state`` is the new state of the score's row, None to leave the row as it is.
    """

    user: str
    name: str
    outcome: str
    message: Message | None
    score: ags.Score | None = None
    state: ScoreState | None = None


def points(given: float, maximum: float) -> Message:
    """Return a score as words."""
    return plain(f"{given:g} of {maximum:g} points")
