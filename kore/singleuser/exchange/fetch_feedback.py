"""Fetches the feedback on one's own submissions: ``nbgrader fetch_feedback``."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from kore.singleuser.exchange import archives, feedback
from kore.singleuser.exchange.base import Exchange, matches, plain_name, temporary_path
from kore.singleuser.exchange.client import Submission


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):  # type: ignore[misc]
    """Writes feedback to ``feedback/<time of the submission>`` in the assignment's folder."""

    submissions: list[Submission]

    def init_src(self) -> None:
        """Find one's own submissions that have feedback."""
        pattern, me = self.coursedir.assignment_id, self.me
        self.submissions = []
        for submission in self.kore.submissions(self.course, plain_name(pattern), me):
            if submission.user != me or not matches(submission.assignment, pattern):
                continue
            submitted = f"'{self.course}/{submission.assignment}' submitted at "
            submitted += self.format_time(submission.received_at)
            if submission.feedback:
                self.log.info("Found feedback for %s", submitted)
                self.submissions.append(submission)
            else:
                self.log.warning("Could not find feedback for %s", submitted)

    def copy_files(self) -> None:
        """Fetch feedback whose latest version is not here yet."""
        for submission in self.submissions:
            folder = self.feedback_folder(submission, self.course)
            if feedback.is_current(folder, submission):
                self.log.debug("Already here: %s", folder)
                continue
            self._fetch(submission, folder)
            self.log.info("Fetched feedback: %s", folder)

    def _fetch(self, submission: Submission, folder: Path) -> None:
        with temporary_path(folder) as new:
            self.kore.fetch_feedback(
                self.course, submission, lambda stream: archives.unpack_again(stream, new)
            )
            feedback.move_pages(new, folder, submission)
