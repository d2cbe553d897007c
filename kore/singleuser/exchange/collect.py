"""Collects what was handed in: ``nbgrader collect``."""

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
    literal,
    matches,
    put,
    unfinished,
    utc,
)
from kore.singleuser.exchange.client import Submission


class ExchangeCollect(Exchange, ABCExchangeCollect):  # type: ignore[misc]
    """Writes one submission a student into the course's ``submitted`` folder.

    The option ``check_owner`` has no effect: who handed in is what the hub said then.
    """

    chosen: list[Submission]

    def init_src(self) -> None:
        """Choose each student's submission: the latest, or the latest in time."""
        pattern, student = self.coursedir.assignment_id, self.coursedir.student_id
        self.chosen = []
        by_student: dict[str, list[Submission]] = defaultdict(list)
        for submission in self.kore.submissions(
            self.course, literal(pattern), literal(student), patient=True
        ):
            if submission.assignment == pattern and matches(submission.user, student):
                by_student[submission.user].append(submission)
        due = self._due() if self.before_duedate else None
        for _, submissions in sorted(by_student.items()):
            in_time = [one for one in submissions if due and utc(one.received_at) <= due]
            self.chosen.append((in_time or submissions)[-1])

    def copy_files(self) -> None:
        """Fetch each that is wanted; each appears whole or not at all."""
        name, course = self.coursedir.assignment_id, self.course
        if not self.chosen:
            self.log.warning("No submissions of '%s' for course '%s' to collect", name, course)
            return
        self.log.info(
            "Processing %s submissions of '%s' for course '%s'", len(self.chosen), name, course
        )
        for submission in self.chosen:
            self._collect(submission)

    def _collect(self, submission: Submission) -> None:
        coursedir, student = self.coursedir, submission.user
        if student.startswith(".") or "/" in student:
            self.fail(f"{student!r} is no name of a student.")
        target = Path(
            coursedir.format_path(coursedir.submitted_directory, student, submission.assignment)
        )
        what = f"{student} {submission.assignment}"
        if not target.is_dir():
            self.log.info("Collecting submission: %s", what)
        elif self._replaces(submission, target):
            self.log.info("Updating submission: %s", what)
        elif self.update:
            self.log.info("No newer submission to collect: %s", what)
            return
        else:
            self.log.info("Submission already exists, use --update to update: %s", what)
            return
        with unfinished(target) as fresh:

            def take(stream: IO[bytes]) -> None:
                archives.unpack_anew(stream, fresh)

            self.kore.collect(self.course, submission, take)
            self._date(fresh, submission)
            self.share(fresh)
            put(fresh, target)

    def _replaces(self, submission: Submission, target: Path) -> bool:
        existing, new = self._existing(target), utc(submission.received_at)
        if self.update and (existing is None or new > existing):
            return True
        return bool(self.before_duedate and existing != new)

    def _existing(self, target: Path) -> datetime | None:
        try:
            found: datetime | None = self.coursedir.get_existing_timestamp(str(target))
        except (ValueError, AttributeError, OSError):  # nbgrader stumbles over an odd file
            self.log.warning("Not a moment in time: %s", target / TIMESTAMP)
            return None
        return found

    def _date(self, folder: Path, submission: Submission) -> None:
        """Write when it was received: Kore's word, whatever the student wrote there."""
        path = folder / TIMESTAMP
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.write_text(self.stamp(submission.received_at), "utf-8")

    def _due(self) -> datetime | None:
        with Gradebook(self.coursedir.db_url, self.course) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(
                    self.coursedir.assignment_id
                ).duedate
            except MissingEntry:
                return None
        return due
