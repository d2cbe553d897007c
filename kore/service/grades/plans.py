"""Plans what to send of a course's grades: the totals against what was sent before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service import jobs
from kore.service.coursedir import gradebook
from kore.service.coursedir.layout import gradebook_path
from kore.service.coursedir.progress import find_ungraded
from kore.service.db.models import Course, Job, Member, Score, ScoreState
from kore.service.grades.schemas import GradeEntry, GradesPreview, LastScore
from kore.service.grades.totals import Line, Student, Totals, compute_totals
from kore.service.memberships import find_course
from kore.service.schemas import describe
from kore.service.services import Services
from kore.shared.roles import Role

SEND = jobs.JobKind("grades.send", exclusive=True)
# The one column of a course so far: the total over its assignments.
TOTAL = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One student's total, and the last score that went to the LMS for them."""

    line: Line
    maximum: float
    last: Score | None

    @property
    def unchanged(self) -> bool:
        """Whether the LMS accepted exactly this before."""
        last = self.last
        return (
            last is not None
            and last.state == ScoreState.SENT
            and (last.given, last.maximum) == (self.line.given, self.maximum)
        )

    @property
    def action(self) -> Literal["send", "unchanged", "held_back"]:
        """What sending would do for this student, unless asked to send all again."""
        if self.line.given is None:
            return "held_back"
        return "unchanged" if self.unchanged else "send"


@dataclass(frozen=True, slots=True)
class Plan:
    """A course (with its platform, detached from the database) and its students' entries."""

    course: Course
    totals: Totals
    entries: list[Entry]
    last_job: str | None


def make_plan(services: Services, course_id: str) -> Plan:
    """Return what there is to send for a course. Raises NotFound for an unknown one."""
    with services.db.reading() as session:
        course = find_course(session, course_id)
        members = session.scalars(select(Member).where(Member.course_id == course_id)).all()
        last = _read_last_scores(session, course_id)
        last_job = session.scalar(
            select(Job.id)
            .where(Job.course_id == course_id, Job.kind == SEND.name)
            .order_by(Job.created_at.desc())
            .limit(1)
        )
    root = services.host.course_root(course_id)
    graded = gradebook.list_graded(gradebook_path(root), course_id)
    students = {
        m.user: Student(m.user, m.name or m.user, m.sub) for m in members if m.role == Role.LEARNER
    }
    others = {m.user for m in members if m.role != Role.LEARNER} | {course_id}
    for submission in graded:
        if submission.student not in others and submission.student not in students:
            name = submission.student
            students[name] = Student(name, name, None)
    found = compute_totals(students.values(), graded, find_ungraded(root, graded))
    entries = [Entry(line, found.maximum, last.get(line.student.user)) for line in found.lines]
    return Plan(course, found, entries, last_job)


def preview(services: Services, course_id: str) -> GradesPreview:
    """Return who would get what, what is held back and why. Sends no request to the LMS."""
    plan = make_plan(services, course_id)
    entries = [_to_schema(entry) for entry in plan.entries]
    counts = Counter(entry.action for entry in entries)
    return GradesPreview(
        course=course_id,
        maximum=plan.totals.maximum,
        assignments=plan.totals.assignments,
        entries=entries,
        counts={action: counts[action] for action in ("send", "unchanged", "held_back")},
        last_job=plan.last_job,
    )


def _to_schema(entry: Entry) -> GradeEntry:
    line, last = entry.line, entry.last
    return GradeEntry(
        user=line.student.user,
        name=line.student.name,
        given=line.given,
        maximum=None if line.given is None else entry.maximum,
        action=entry.action,
        reason=describe(line.reason),
        last=None if last is None else _last_to_schema(last),
    )


def _last_to_schema(last: Score) -> LastScore:
    return LastScore(
        given=last.given,
        maximum=last.maximum,
        state=ScoreState(last.state).value,
        message=describe(last.message),
        sent_at=last.timestamp,
    )


def _read_last_scores(session: Session, course_id: str) -> dict[str, Score]:
    rows = session.scalars(
        select(Score).where(Score.course_id == course_id, Score.assignment == TOTAL)
    )
    return {score.user: score for score in rows}
