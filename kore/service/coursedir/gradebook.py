"""Reads and writes nbgrader's gradebook of a course: the one place that opens its database."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbgrader import dbutil
from nbgrader.api import (
    Assignment,
    Base,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import URL, create_engine, func, select

from kore.service.coursedir.openat import special_file
from kore.service.errors import Invalid
from kore.shared.ids import is_course_id

_BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class StudentRecord:
    """A student as the gradebook keeps one. ``lms_id`` is the LTI ``sub``."""

    user: str
    given_name: str
    family_name: str
    email: str
    lms_id: str


@dataclass(frozen=True, slots=True)
class AssignmentSummary:
    """An assignment of the gradebook. Counts are of students, points are nbgrader's."""

    name: str
    due_at: datetime | None
    max_score: float
    submitted: int
    needs_manual: int


@dataclass(frozen=True, slots=True)
class GradedSubmission:
    """The points of one student's autograded submission."""

    student: str
    assignment: str
    score: float
    max_score: float
    penalty: float
    needs_manual_grade: bool


@dataclass(frozen=True, slots=True)
class DueDates:
    """When assignments are due, by name, and extensions by assignment and student."""

    assignments: dict[str, datetime] = field(default_factory=dict)
    extensions: dict[tuple[str, str], timedelta] = field(default_factory=dict)

    def of(self, assignment: str, student: str = "") -> datetime | None:
        """Return when an assignment is due, for one student; None where it is not."""
        due = self.assignments.get(assignment)
        if due is None:
            return None
        try:
            return due + self.extensions.get((assignment, student), timedelta())
        except OverflowError:
            # Beyond what a calendar has: never due.
            return None


def create(path: Path, course_id: str) -> None:
    """Make the gradebook with nbgrader's tables, unless it is there. All of it or nothing."""
    _refuse_links(path)
    if path.exists():
        return
    unfinished = path.with_name(f".{secrets.token_hex(8)}.gradebook")
    try:
        _make_tables(unfinished)
        with _open(unfinished, course_id):
            pass
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def enrol(path: Path, course_id: str, students: Iterable[StudentRecord]) -> None:
    """Add students, or bring their names up to date. Nothing else of theirs changes."""
    with _open(path, course_id) as gradebook:
        for record in students:
            student = gradebook.db.get(Student, record.user)
            if student is None:
                student = Student(id=record.user)
                gradebook.db.add(student)
            # nbgrader's columns hold 128 characters.
            student.first_name = record.given_name[:128] or None
            student.last_name = record.family_name[:128] or None
            student.email = record.email[:128] or None
            student.lms_user_id = record.lms_id[:128]
        gradebook.db.commit()


def list_assignments(path: Path, course_id: str) -> list[AssignmentSummary]:
    """Return the course's assignments by name; none where there is no gradebook yet."""
    if not path.exists():
        return []
    with _open(path, course_id) as gradebook:
        submitted = _count(gradebook, manual=False)
        manual = _count(gradebook, manual=True)
        rows = gradebook.db.execute(
            select(Assignment.id, Assignment.name, Assignment.duedate, Assignment.max_score)
        ).all()
    return sorted(
        (
            AssignmentSummary(
                name=name,
                due_at=due.replace(tzinfo=UTC) if due else None,
                max_score=float(maximum or 0),
                submitted=submitted.get(key, 0),
                needs_manual=manual.get(key, 0),
            )
            for key, name, due, maximum in rows
        ),
        key=lambda summary: summary.name,
    )


def read_due_dates(path: Path, course_id: str) -> DueDates:
    """Return when the course's assignments are due; empty where there is no gradebook."""
    found = DueDates()
    if not path.exists():
        return found
    with _open(path, course_id) as gradebook:
        rows = gradebook.db.execute(
            select(Assignment.name, Assignment.duedate).where(Assignment.duedate.is_not(None))
        ).all()
        given = gradebook.db.execute(
            select(Assignment.name, SubmittedAssignment.student_id, SubmittedAssignment.extension)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .where(SubmittedAssignment.extension.is_not(None))
        ).all()
    found.assignments.update((name, due.replace(tzinfo=UTC)) for name, due in rows)
    found.extensions.update(((name, student), more) for name, student, more in given)
    return found


def list_graded(path: Path, course_id: str) -> list[GradedSubmission]:
    """Return every autograded submission of the course; none where there is no gradebook."""
    if not path.exists():
        return []
    with _open(path, course_id) as gradebook:
        rows = gradebook.db.execute(
            select(
                SubmittedAssignment.student_id,
                Assignment.name,
                SubmittedAssignment.score,
                Assignment.max_score,
                SubmittedAssignment.late_submission_penalty,
                SubmittedAssignment.needs_manual_grade,
            ).join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        ).all()
    return [
        GradedSubmission(
            student=student,
            assignment=assignment,
            score=float(score or 0),
            max_score=float(maximum or 0),
            penalty=float(penalty or 0),
            needs_manual_grade=bool(manual),
        )
        for student, assignment, score, maximum, penalty, manual in rows
    ]


class NoGradebookError(Invalid):
    """A file is not the gradebook of this course; the message is a clause that says why."""


def current_version() -> str:
    """Return the version of nbgrader's tables that this nbgrader works with."""
    return ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head() or ""


def snapshot(path: Path, target: Path, watch: Callable[[], None]) -> None:
    """Copy a gradebook as it is at one moment, while others work with it (SQLite's backup).

    ``watch`` is called between steps and may raise.
    """
    with (
        contextlib.closing(_connect(path, "rw")) as source,
        contextlib.closing(_connect(target, "rwc")) as copy,
    ):
        source.backup(copy, pages=-1, progress=lambda *_: watch(), sleep=0.05)


def examine(path: Path, course_id: str) -> tuple[str, int]:
    """Return the version of a gradebook's tables, and the number of its students.

    Raises NoGradebookError for another file, a damaged one, or another course's gradebook.
    """
    try:
        with contextlib.closing(_connect(path, "ro")) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise NoGradebookError("gradebook.damaged")
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            [students] = connection.execute("SELECT count(*) FROM student").fetchone()
            courses = {str(name) for (name,) in connection.execute("SELECT id FROM course")}
            connection.execute("SELECT count(*) FROM submitted_assignment").fetchone()
    except sqlite3.Error as error:
        raise NoGradebookError("gradebook.other_format") from error
    if any(is_course_id(name) for name in courses - {course_id}):
        raise NoGradebookError("gradebook.other_course")
    return str(found[0]) if found else "", int(students)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    _refuse_links(path)
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=_BUSY_SECONDS)


def _count(gradebook: Any, *, manual: bool) -> dict[str, int]:
    query = select(SubmittedAssignment.assignment_id, func.count(SubmittedAssignment.id)).group_by(
        SubmittedAssignment.assignment_id
    )
    if manual:
        query = query.where(
            select(SubmittedNotebook.id)
            .where(
                SubmittedNotebook.assignment_id == SubmittedAssignment.id,
                SubmittedNotebook.needs_manual_grade,
            )
            .exists()
        )
    return {key: number for key, number in gradebook.db.execute(query).all()}  # noqa: C416


def _make_tables(path: Path) -> None:
    """Make nbgrader's tables and note their version.

    nbgrader does the same, but asks a second process for the version, which takes a second
    and needs that program on the path.
    """
    scripts = ScriptDirectory(dbutil.ALEMBIC_DIR)
    engine = create_engine(URL.create("sqlite", database=str(path)))
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        MigrationContext.configure(connection).stamp(scripts, "head")
    engine.dispose()


def _refuse_links(path: Path) -> None:
    """Raise Conflict where a gradebook or one of its folders was replaced with a link.

    A course's account can plant a link to another course's gradebook, or to Kore's own
    database. SQLite follows links, and Python's module has no way to forbid it.
    """
    beyond = path.parents[2] if len(path.parents) > 2 else path.parent  # noqa: PLR2004
    if os.path.realpath(path) != str(Path(os.path.realpath(beyond), path.relative_to(beyond))):
        raise special_file(path.name)


@contextmanager
def _open(path: Path, course_id: str) -> Iterator[Any]:
    url = URL.create("sqlite", database=str(path), query={"timeout": str(_BUSY_SECONDS)})
    _refuse_links(path)
    gradebook = Gradebook(url, course_id)
    try:
        # Again, for a link that was planted meanwhile: nothing was read or written yet.
        _refuse_links(path)
        yield gradebook
    finally:
        gradebook.close()
