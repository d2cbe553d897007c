"""A course on a test's Kore: work released and submitted, or all that a course can hold."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from kore.service import audit, jobs
from kore.service.backups import repository
from kore.service.backups.job import queue_backup
from kore.service.backups.manifest import Contents
from kore.service.db.models import Backup, Course, Member, now
from kore.service.exchange import assignments, submissions
from kore.service.exchange.schemas import SubmissionInfo
from kore.service.services import Services
from kore.shared.roles import Role
from tests.support import notebooks
from tests.support.archives import tar_of
from tests.support.busy_course import grade
from tests.support.kore import Harness

TASK = {"squares.ipynb": b'{"cells": []}', "data/": b"", "data/numbers.csv": b"1,2\n"}


class ExchangeCourse:
    """One course: a teacher, students ``u2`` and ``u3``, and ``ps1``, which is released."""

    def __init__(self, kore: Harness) -> None:
        self.kore = kore
        self.course, self.teacher = kore.launch("1", "Instructor")
        for sub in ("2", "3"):
            kore.launch(sub)
        self.release("ps1")

    @property
    def services(self) -> Services:
        return self.kore.services

    def release(self, name: str, files: dict[str, bytes] | None = None) -> Any:
        return assignments.release_assignment(
            self.services, self.course, name, pieces(tar_of(files or TASK)), by=self.teacher
        )

    def submit(
        self,
        user: str = "u2",
        files: dict[str, bytes] | None = None,
        *,
        key: str | None = None,
        began: datetime | None = None,
    ) -> SubmissionInfo:
        return submissions.submit(
            self.services,
            self.course,
            "ps1",
            pieces(tar_of(files or {"squares.ipynb": b"{}"})),
            user=user,
            key=key,
            began=began or now(),
        )

    def feedback(self, submission: SubmissionInfo, files: dict[str, bytes] | None = None) -> Any:
        archive = tar_of(files or {"squares.html": b"<p>Good</p>"})
        return submissions.release_feedback(
            self.services, self.course, submission.id, pieces(archive), by=self.teacher
        )

    def listed(self, **what: str) -> list[SubmissionInfo]:
        return submissions.list_submissions(self.services, self.course, **what)

    def audit(self) -> list[tuple[str, str, str]]:
        """Return action, outcome and message id of the audit's entries, the newest first."""
        page = audit.list_entries(self.services.db, self.course, page=1, per_page=200)
        return [
            (entry.action, entry.outcome, entry.message.code if entry.message else "")
            for entry in page.entries
        ]

    def files(self) -> list[Path]:
        """Every archive in the store, finished or not."""
        return sorted(self.services.settings.exchange.rglob("*.tar"))


def pieces(archive: bytes, size: int = 4000) -> Iterator[bytes]:
    """Cut an archive as a socket does."""
    for start in range(0, len(archive), size):
        yield archive[start : start + size]


NOTEBOOK = json.dumps(notebooks.assignment()).encode()
FILES = {
    "source/ps1/squares.ipynb": NOTEBOOK,
    "source/ps1/data/numbers.csv": b"1,2\n",
    "source/ps2/Übung 2.ipynb": NOTEBOOK,
    "source/header.ipynb": NOTEBOOK,
    "release/ps1/squares.ipynb": NOTEBOOK,
    "submitted/u2/ps1/squares.ipynb": b"{}",
    "submitted/u2/ps1/timestamp.txt": b"2026-11-24 10:00:00 UTC",
    "autograded/u2/ps1/squares.ipynb": b"{}",
    "feedback/u2/ps1/squares.html": b"<p>Good</p>",
    "notes/for me.txt": b"remember",
}


class FullCourse(ExchangeCourse):
    """One course: a teacher, students ``u2`` and ``u3``, one of them graded."""

    def __init__(self, kore: Harness, *, files: dict[str, bytes] | None = None) -> None:
        super().__init__(kore)
        kore.work()
        for path, content in (FILES if files is None else files).items():
            self.write(path, content)
        (self.root / "source" / "empty").mkdir(parents=True, exist_ok=True)
        grade(kore, self.course, "ps1", {"u2": 4})
        self.feedback(self.submit())
        self.submit("u3")

    @property
    def root(self) -> Path:
        return self.services.host.course_root(self.course)

    @property
    def title(self) -> str:
        with self.kore.db.reading() as session:
            from kore.service.memberships import find_course

            return find_course(session, self.course).title

    def write(self, path: str, content: bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def back_up(self, contents: Contents = "everything") -> Backup:
        """Back the course up, here and now."""
        job = queue_backup(self.services, self.course, by=self.teacher, contents=contents)
        self.kore.work()
        report = jobs.read_report(self.kore.db, job)
        assert report.state == "done", report
        return repository.find_backup(self.services, job)

    def archive(self, backup: Backup) -> Path:
        """Return the file of a backup."""
        return (
            self.services.settings.state_dir
            / "backups/courses"
            / self.course
            / (f"{backup.id}.tar")
        )

    def has_no_backup(self) -> bool:
        """Whether neither the repository nor its folder has anything of a backup."""
        folder = self.services.settings.state_dir / "backups"
        files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
        listed = repository.list_backups(self.services, self.course, user="").backups
        return files == [] and listed == []

    def state(self) -> dict[str, Any]:
        """Return all that is in the course: what is equal after it was brought back."""
        return state_of(self.services, self.course)


def state_of(services: Services, course: str) -> dict[str, Any]:
    """Return all that is in a course."""
    root = services.host.course_root(course)
    with services.db.reading() as session:
        members = session.scalars(
            select(Member.user).where(Member.course_id == course, Member.role == Role.LEARNER)
        ).all()
        there = session.get(Course, course) is not None
    return {
        "there": there,
        "files": tree_of(root) if root.exists() else {},
        "gradebook": points_of(root / "gradebook.db"),
        "exchange": [
            (one.id, one.user, one.sha256, one.received_at, one.feedback and True)
            for one in sorted(
                submissions.list_submissions(services, course), key=lambda one: one.id
            )
        ]
        if there
        else [],
        "members": sorted(members),
    }


def tree_of(root: Path) -> dict[str, str]:
    """Return every file below a folder but Kore's own and the gradebook, with its digest."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.partition("/")[0].startswith((".kore", "gradebook.db", ".nbgrader")):
            continue
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return found


def points_of(path: Path) -> list[tuple[Any, ...]]:
    """Return students and points of a gradebook."""
    if not path.exists():
        return []
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        students = connection.execute("SELECT id FROM student ORDER BY id").fetchall()
        grades = connection.execute(
            "SELECT s.student_id, a.name, g.auto_score FROM grade g"
            " JOIN submitted_notebook n ON n.id = g.notebook_id"
            " JOIN submitted_assignment s ON s.id = n.assignment_id"
            " JOIN assignment a ON a.id = s.assignment_id ORDER BY 1, 2"
        ).fetchall()
    finally:
        connection.close()
    return [*students, *grades]
