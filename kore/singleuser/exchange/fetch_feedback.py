"""Fetches the feedback to what one has handed in: ``nbgrader fetch_feedback``."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from kore.singleuser.exchange import archives, feedback
from kore.singleuser.exchange.base import Exchange, literal, matches, unfinished
from kore.singleuser.exchange.client import Submission


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):  # type: ignore[misc]
    """Writes feedback into ``feedback/<moment of the submission>`` of the assignment's folder."""

    submissions: list[Submission]

    def init_src(self) -> None:
        """Find what one has handed in and has feedback."""
        pattern, me = self.coursedir.assignment_id, self.me
        self.submissions = []
        for submission in self.kore.submissions(self.course, literal(pattern), me):
            if submission.user != me or not matches(submission.assignment, pattern):
                continue
            where = f"'{self.course}/{submission.assignment}' submitted at "
            where += self.stamp(submission.received_at)
            if submission.feedback:
                self.log.info("Found feedback for %s", where)
                self.submissions.append(submission)
            else:
                self.log.warning("Could not find feedback for %s", where)

    def copy_files(self) -> None:
        """Fetch what is not here in its latest version."""
        for submission in self.submissions:
            folder = self.feedback_folder(submission, self.course)
            if feedback.is_current(folder, submission):
                self.log.debug("Already here: %s", folder)
                continue
            self._fetch(submission, folder)
            self.log.info("Fetched feedback: %s", folder)

    def _fetch(self, submission: Submission, folder: Path) -> None:
        with unfinished(folder) as fresh:
            self.kore.fetch_feedback(
                self.course, submission, lambda stream: archives.unpack_anew(stream, fresh)
            )
            feedback.put(fresh, folder, submission)
