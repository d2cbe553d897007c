"""A course as its teacher sees it in the middle of the term: many people, mixed states."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from nbgrader.api import Gradebook

from kore.service.coursedir import gradebook
from kore.service.db.models import Job, JobItem, JobState, Score, ScoreState, now
from kore.shared.messages import Message, message
from tests.support.kore import Harness

NAMES = (
    "Zoë Çelik", "Łukasz Żółć", "Nguyễn Thị Ánh", "محمد الأحمد", "ליאור כהן", "王小明",
    "山田 太郎", "김민준", "Ольга Щербакова", "Γεώργιος Παπαδόπουλος", "अनन्या शर्मा", "தமிழ் செல்வி",
    "สมชาย ใจดี", "თამარ ბერიძე", "Արամ Հակոբյան", "Jürgen Weiß", "Saoirse Ní Bhriain",
    "Anne-Marie O’Connor", "José María de la Concepción García-Hernández y Rodríguez de los Ríos",
    "<script>alert(1)</script>", "=HYPERLINK(\"http://evil.example\")", "فاطمة زهرا رضایی",
    "Ada Lovelace", "Émilie du Châtelet", "Sofía Kovalévskaya", "Mary Jackson", "Björk Guðmunds",
    "Ñusta Quispe", "Ōe Kenzaburō", "Øystein Ås", "Dvořák Antonín", "Ivana Brlić-Mažuranić",
    "Chinụa Ọlabisi", "Tāne Māhuta", "Ayşe Işık", "Paul Erdős", "Emmy Noether", "S. Ramanujan",
    "🦊 Fox", "",
)  # fmt: skip
# ruff: noqa: RUF001 - names are written as their bearers write them
HOSTILE_TITLE = (
    'Übung "7" {{ 7*7 }} </h1><script>alert(1)</script> \n ../../etc 🧮 '
    "حساب التفاضل والتكامل للمبتدئين " + "Kontinuumshypothesenbeweisversuch" * 5
)[:255]


@dataclass
class Classroom:
    """A course, its teacher, its students (users) and a job that has ended."""

    course: str
    teacher: str
    students: list[str]
    job: str


@contextmanager
def open_gradebook(kore: Harness, course: str) -> Iterator[Gradebook]:
    """Open a course's gradebook, made if it is not there."""
    root = kore.services.host.prepare_course(course)
    gradebook.create(root / "gradebook.db", course)
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", course) as book:
        yield book


def grade(
    kore: Harness, course: str, assignment: str, scores: dict[str, float], *, points: float = 10
) -> None:
    """Put autograded submissions of an assignment into the gradebook, points by user."""
    with open_gradebook(kore, course) as book:
        book.update_or_create_assignment(assignment, duedate=datetime(2031, 5, 4, 22, 0))  # noqa: DTZ001
        book.update_or_create_notebook("problem", assignment)
        book.update_or_create_grade_cell(
            "cell", "problem", assignment, max_score=points, cell_type="code"
        )
        for user, score in scores.items():
            book.update_or_create_student(user)
            submission = book.update_or_create_submission(assignment, user)
            submission.notebooks[0].grades[0].auto_score = score
            submission.notebooks[0].grades[0].needs_manual_grade = score < 0
        book.db.commit()


def busy(
    kore: Harness, *, activity: str = "Week 3: Eigenvalues", context: str = "Linear Algebra II"
) -> Classroom:
    """Make a course with forty students: some sent, refused, held back, unchanged."""
    titles: dict[str, Any] = {"activity": activity, "context": context}
    course, teacher = kore.launch("900", "Instructor", name="Tilda Månsson", **titles)
    kore.launch("901", "Instructor", name="Dr. Amara Okonkwo", **titles)
    kore.launch("902", "Mentor", name="Guest Reader", **titles)
    students = [
        kore.launch(str(100 + index), name=name, **titles)[1] for index, name in enumerate(NAMES)
    ]
    kore.work()
    first = {user: 4 + index % 13 / 2 for index, user in enumerate(students[:34])}
    grade(kore, course, "ps1-vectors", first)
    second = {user: float(index % 21) for index, user in enumerate(students[:30])}
    second[students[5]] = -1
    grade(kore, course, "ps2-eigenvalues", second, points=20)
    root = kore.services.host.course_root(course)
    for name in ("ps3-draft", "ps1-vectors", "ps2-eigenvalues"):
        (root / "source" / name).mkdir(parents=True, exist_ok=True)
    for user in students[:34]:
        for folder in ("submitted", "autograded"):
            (root / folder / user / "ps1-vectors").mkdir(parents=True, exist_ok=True)
    for user in students[:30]:
        (root / "autograded" / user / "ps2-eigenvalues").mkdir(parents=True, exist_ok=True)
    for user in students[:32]:
        (root / "submitted" / user / "ps2-eigenvalues").mkdir(parents=True, exist_ok=True)
    totals = {
        user: max(0.0, first.get(user, 0)) + max(0.0, second.get(user, 0)) for user in students
    }
    return Classroom(course, teacher, students, finished_job(kore, course, teacher, totals))


def _counts(**counts: int) -> Message:
    return message("counts", parts=[message(f"count.{what}", n=n) for what, n in counts.items()])


def finished_job(kore: Harness, course: str, teacher: str, totals: dict[str, float]) -> str:
    """Write down a sending that ended an hour ago, with every outcome."""
    job_id, moment = "ab" * 16, now() - timedelta(hours=1)
    refusal = message(
        "lms.refused.said", said="User is not enrolled (“Übung”) <b>now</b>", status=404
    )
    with kore.db.session() as session:
        session.add(
            Job(
                id=job_id,
                kind="grades.send",
                course_id=course,
                created_by=teacher,
                created_at=moment,
                started_at=moment,
                ended_at=moment + timedelta(seconds=9),
                state=JobState.DONE,
                done=40,
                total=40,
                message=_counts(sent=26, unchanged=2, held_back=9, refused=2, failed=1),
            )
        )
        session.flush()
        for index, (user, total) in enumerate(totals.items()):
            outcome, said = "sent", message("grades.points", given=total, n=30)
            if index >= 32:
                outcome, said = "held_back", message("grades.no_graded_work")
            elif index in (3, 18):
                outcome, said = "refused", refusal
            elif index == 7:
                outcome, said = "failed", message("lms.timeout")
            elif index in (8, 9):
                outcome = "unchanged"
            detail = {"given": total, "maximum": 30.0} if outcome not in {"held_back"} else {}
            session.add(
                JobItem(
                    job_id=job_id,
                    key=user,
                    label=NAMES[index] or user,
                    outcome=outcome,
                    message=said,
                    detail=detail,
                )
            )
            if outcome in {"sent", "refused", "failed"}:
                session.add(
                    Score(
                        course_id=course,
                        user=user,
                        given=total + (index % 4 == 0),
                        maximum=30,
                        timestamp=moment.astimezone(UTC),
                        state=ScoreState(outcome),
                        message=said if outcome != "sent" else None,
                        job_id=job_id,
                    )
                )
    return job_id


def running_job(kore: Harness, course: str, teacher: str) -> str:
    """Write down a sending that is under way, in the hands of another process."""
    job_id = secrets.token_hex(16)
    with kore.db.session() as session:
        session.add(
            Job(
                id=job_id,
                kind="grades.send",
                course_id=course,
                created_by=teacher,
                started_at=now(),
                state=JobState.RUNNING,
                owner="elsewhere",
                lease_until=now() + timedelta(hours=1),
                done=12,
                total=40,
                message=_counts(sent=11, refused=1),
            )
        )
    return job_id
