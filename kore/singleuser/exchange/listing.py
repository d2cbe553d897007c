"""Lists assignments and submissions: ``nbgrader list`` and JupyterLab's assignment list."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList as ABCExchangeList
from traitlets import Bool

from kore.singleuser.exchange import feedback
from kore.singleuser.exchange.base import Exchange, matches, plain_name, utc
from kore.singleuser.exchange.client import Released, Submission

Info = dict[str, Any]
"""An assignment or a submission as nbgrader's user interfaces expect it."""


class ExchangeList(Exchange, ABCExchangeList):  # type: ignore[misc]
    """Lists released assignments, or submissions: those that Kore has, or a person's copies."""

    as_json = Bool(False, help="Also print the list as JSON.").tag(config=True)

    def list_files(self) -> list[Info]:
        """Print the list; return what nbgrader's own exchange returns."""
        return self._print("Submitted assignments:", "Released assignments:", self._find())

    def remove_files(self) -> list[Info]:
        """Withdraw released assignments, or delete a person's copies of their submissions."""
        if self.inbound:
            self.fail(
                "Kore keeps submissions until the course is deleted. They cannot be removed singly."
            )
        found = self._find()
        self._print("Removing submitted assignments:", "Removing released assignments:", found)
        for info in found:
            if self.cached:
                for submission in info["submissions"]:
                    shutil.rmtree(submission["path"])
            else:
                self.kore.withdraw(info["course_id"], info["assignment_id"])
        return found

    def _find(self) -> list[Info]:
        courses = [self.coursedir.course_id] if self.coursedir.course_id else self.kore.courses()
        if not (self.inbound or self.cached):
            return [info for course in courses for info in self._released(course)]
        infos = [info for course in courses for info in self._submitted(course)]

        def group_key(info: Info) -> tuple[str, str, str]:
            return info["course_id"], info["student_id"], info["assignment_id"]

        infos.sort(key=lambda info: (*group_key(info), info["timestamp"]))
        return [
            {
                "course_id": course,
                "student_id": student,
                "assignment_id": assignment,
                "status": "removed" if self.remove else "submitted",
                "submissions": list(group),
            }
            for (course, student, assignment), group in itertools.groupby(infos, group_key)
        ]

    def _released(self, course: str) -> Iterator[Info]:
        for released in self.kore.assignments(course):
            if matches(released.name, self.coursedir.assignment_id):
                yield self._released_info(course, released)

    def _released_info(self, course: str, released: Released) -> Info:
        folder = self.assignment_folder(course, released.name)
        names: list[tuple[str, str]]
        if folder.exists():
            status, path = "fetched", str(folder)
            names = [(p.stem, str(p)) for p in sorted(folder.glob("*.ipynb"))]
        else:
            # The person has not fetched it yet.
            status, path = "released", ""
            names = [(name, "") for name in released.notebooks if "/" not in name]
        if not names:
            self.log.warning("No notebooks found in %s", path or released.name)
        return {
            "course_id": course,
            "assignment_id": released.name,
            "status": "removed" if self.remove else status,
            "path": path,
            "notebooks": [{"notebook_id": name, "path": path} for name, path in names],
        }

    def _submitted(self, course: str) -> Iterator[Info]:
        pattern, student = self.coursedir.assignment_id, self.coursedir.student_id
        copies = self.cached_copies(course) if self.cached else {}
        if self.cached and not copies:
            return
        for submission in self.kore.submissions(course, plain_name(pattern), plain_name(student)):
            if not matches(submission.assignment, pattern):
                continue
            if not matches(submission.user, student):
                continue
            path = copies.get((submission.user, submission.assignment, utc(submission.received_at)))
            if path is not None or not self.cached:
                yield self._submission_info(course, submission, str(path or ""))

    def _submission_info(self, course: str, submission: Submission, path: str) -> Info:
        folder = self.feedback_folder(submission, course)
        version = feedback.read_version(folder)
        notebooks = []
        for name in submission.graded_notebooks:
            page = feedback.page_path(folder, name)
            local, offered = page.is_file(), bool(submission.feedback)
            notebooks.append(
                {
                    "notebook_id": name,
                    "path": str(Path(path) / f"{name}.ipynb") if path else "",
                    "has_local_feedback": local,
                    "has_exchange_feedback": offered,
                    "local_feedback_path": str(page) if local else None,
                    "feedback_updated": local and offered and version != submission.feedback,
                }
            )
        local = bool(notebooks) and all(notebook["has_local_feedback"] for notebook in notebooks)
        return {
            "course_id": course,
            "student_id": submission.user,
            "assignment_id": submission.assignment,
            "timestamp": self.format_time(submission.received_at),
            "status": "removed" if self.remove else "submitted",
            "path": path,
            "notebooks": notebooks,
            "has_local_feedback": local,
            "has_exchange_feedback": bool(notebooks) and bool(submission.feedback),
            "feedback_updated": any(notebook["feedback_updated"] for notebook in notebooks),
            "local_feedback_path": str(folder) if local else None,
        }

    def _print(self, submitted: str, released: str, found: list[Info]) -> list[Info]:
        if self.inbound or self.cached:
            self.log.info(submitted)
            for info in found:
                for submission in info["submissions"]:
                    self.log.info(_submission_line(submission))
        else:
            self.log.info(released)
            for info in found:
                self.log.info(self._released_line(info))
        if self.as_json:
            print(json.dumps(found, indent=2))  # noqa: T201
        return found

    def _released_line(self, info: Info) -> str:
        line = f"{info['course_id']} {info['assignment_id']}"
        folder = self.assignment_folder(info["course_id"], info["assignment_id"])
        return f"{line} (already downloaded)" if os.path.exists(folder) else line  # noqa: PTH110


def _submission_line(info: Info) -> str:
    line = "{course_id} {student_id} {assignment_id} {timestamp}".format(**info)
    if info["status"] != "submitted":
        return line
    if info["has_local_feedback"] and not info["feedback_updated"]:
        return f"{line} (feedback already fetched)"
    if info["has_exchange_feedback"]:
        return f"{line} (feedback ready to be fetched)"
    return f"{line} (no feedback available)"
