"""Collects submissions: ``nbgrader collect``."""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import IO

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.base import (
    TIMESTAMP,
    Exchange,
    matches,
    plain_name,
    replace_folder,
    temporary_path,
    utc,
)
from kore.singleuser.exchange.client import Submission
from kore.singleuser.exchange.transport import RETRY_SECONDS


class ExchangeCollect(Exchange, ABCExchangeCollect):  # type: ignore[misc]
    """Writes one submission of each student to the course's ``submitted`` folder.

    The option ``check_owner`` has no effect: the hub identified the student.
    """

    selected: list[Submission]

    def init_src(self) -> None:
        """Select each student's latest submission, or the latest before the due date."""
        pattern, student = self.coursedir.assignment_id, self.coursedir.student_id
        self.selected = []
        by_student: dict[str, list[Submission]] = defaultdict(list)
        for submission in self.kore.submissions(
            self.course, plain_name(pattern), plain_name(student), retry_seconds=RETRY_SECONDS
        ):
            if submission.assignment == pattern and matches(submission.user, student):
                by_student[submission.user].append(submission)
        due = self._duedate() if self.before_duedate else None
        for _, submissions in sorted(by_student.items()):
            in_time = [entry for entry in submissions if due and utc(entry.received_at) <= due]
            self.selected.append((in_time or submissions)[-1])

    def copy_files(self) -> None:
        """Write each submission that is new; each appears complete or not at all."""
        name, course = self.coursedir.assignment_id, self.course
        if not self.selected:
            self.log.warning("No submissions of '%s' for course '%s' to collect", name, course)
            return
        self.log.info(
            "Processing %s submissions of '%s' for course '%s'", len(self.selected), name, course
        )
        for submission in self.selected:
            self._collect(submission)

    def _collect(self, submission: Submission) -> None:
        coursedir, student = self.coursedir, submission.user
        if student.startswith(".") or "/" in student:
            self.fail(f"{student!r} is not the name of a student.")
        target = Path(
            coursedir.format_path(coursedir.submitted_directory, student, submission.assignment)
        )
        label = f"{student} {submission.assignment}"
        if not target.is_dir():
            self.log.info("Collecting submission: %s", label)
        elif self._replaces(submission, target):
            self.log.info("Updating submission: %s", label)
        elif self.update:
            self.log.info("No newer submission to collect: %s", label)
            return
        else:
            self.log.info("Submission already exists, use --update to update: %s", label)
            return
        with temporary_path(target) as new:

            def unpack(stream: IO[bytes]) -> None:
                archives.unpack_again(stream, new)

            self.kore.collect(self.course, submission, unpack)
            self._write_timestamp(new, submission)
            self.share_with_group(new)
            replace_folder(new, target)

    def _replaces(self, submission: Submission, target: Path) -> bool:
        existing, new = self._existing_time(target), utc(submission.received_at)
        if self.update and (existing is None or new > existing):
            return True
        return bool(self.before_duedate and existing != new)

    def _existing_time(self, target: Path) -> datetime | None:
        try:
            found: datetime | None = self.coursedir.get_existing_timestamp(str(target))
        except (ValueError, AttributeError, OSError):  # nbgrader fails on an invalid file
            self.log.warning("Not a valid time: %s", target / TIMESTAMP)
            return None
        return found

    def _write_timestamp(self, folder: Path, submission: Submission) -> None:
        """Write when Kore received the submission, whatever the student wrote there."""
        path = folder / TIMESTAMP
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.write_text(self.format_time(submission.received_at), "utf-8")

    def _duedate(self) -> datetime | None:
        with Gradebook(self.coursedir.db_url, self.course) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(
                    self.coursedir.assignment_id
                ).duedate
            except MissingEntry:
                return None
        return due
