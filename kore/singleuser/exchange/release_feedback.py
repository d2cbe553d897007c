"""Releases feedback to students: ``nbgrader release_feedback``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseFeedback as ABCExchangeReleaseFeedback
from nbgrader.utils import parse_utc

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.base import TIMESTAMP, Exchange, matches, plain_name, utc
from kore.singleuser.exchange.client import Submission
from kore.singleuser.exchange.transport import RETRY_SECONDS


class ExchangeReleaseFeedback(Exchange, ABCExchangeReleaseFeedback):  # type: ignore[misc]
    """Sends the pages of the course's ``feedback`` folder to the submissions they belong to.

    The time in ``timestamp.txt``, which nbgrader copies from the submission to its feedback,
    identifies the submission.
    """

    folders: list[tuple[str, Path]]

    def init_src(self) -> None:
        """Find each student's folder with feedback."""
        coursedir = self.coursedir
        any_student = Path(
            coursedir.format_path(coursedir.feedback_directory, "*", coursedir.assignment_id)
        )
        excluded = set(filter(None, coursedir.student_id_exclude.split(",")))
        self.folders = []
        position = any_student.parts.index("*")
        root = Path(*any_student.parts[:position])
        for path in sorted(root.glob(str(Path(*any_student.parts[position:])))):
            student = path.parts[position]
            if not path.is_dir() or not matches(student, coursedir.student_id):
                continue
            if student in excluded:
                self.log.debug("Skipping student '%s'", student)
                continue
            self.folders.append((student, path))

    def copy_files(self) -> None:
        """Send each folder; fail at the end if some have no submission."""
        name = self.coursedir.assignment_id
        submissions = self.kore.submissions(
            self.course, name, plain_name(self.coursedir.student_id), retry_seconds=RETRY_SECONDS
        )
        without = [
            student
            for student, folder in self.folders
            if not self._release(student, folder, submissions)
        ]
        if without:
            self.fail(
                f"No submission of '{name}' matches the feedback for {', '.join(without)}. "
                f"Collect and grade it again, or restore {TIMESTAMP} in the feedback's folder."
            )

    def _release(self, student: str, folder: Path, submissions: list[Submission]) -> bool:
        submission = _find_submission(student, folder, submissions)
        if submission is None:
            return False
        pages = {f"{notebook}.html" for notebook in submission.graded_notebooks}
        present = sorted(p.name for p in folder.iterdir() if p.name in pages and p.is_file())
        if not present:
            return True
        with tempfile.TemporaryDirectory() as temporary:
            archive = Path(temporary) / "feedback.tar"
            with archive.open("wb") as file:
                archives.pack(
                    folder,
                    file,
                    ignore=lambda parent, names: (
                        [n for n in names if n not in pages] if parent == str(folder) else names
                    ),
                    max_bytes=1000 * self.coursedir.max_dir_size,
                )
            self.kore.release_feedback(self.course, submission, archive)
        self.log.info(
            "Released feedback for student '%s' on assignment '%s/%s' (%s): %s",
            student,
            self.course,
            submission.assignment,
            self.format_time(submission.received_at),
            ", ".join(present),
        )
        return True


def _find_submission(
    student: str, folder: Path, submissions: list[Submission]
) -> Submission | None:
    """Return the submission that the feedback in a folder belongs to."""
    try:
        moment = parse_utc((folder / TIMESTAMP).read_text("utf-8").strip())
    except (OSError, ValueError):
        return None
    for submission in submissions:
        if submission.user == student and utc(submission.received_at) == moment:
            return submission
    return None
