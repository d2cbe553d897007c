"""The students of a course in its backup: who they are in the LMS, so that grades reach them.

Teachers are not in it: the LMS says at each launch who teaches.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service.backups.manifest import bad_backup
from kore.service.db.models import Member
from kore.shared.roles import Role

MAX_BYTES = 64 * 1024 * 1024


class Student(BaseModel):
    """A student: name on the hub, id in the LMS (LTI ``sub``), and what the LMS says of them."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(max_length=255, pattern=r"^u[a-z0-9_-]+$")
    sub: str = Field(max_length=255)
    name: str = Field(max_length=2000)
    given_name: str = Field(max_length=2000)
    family_name: str = Field(max_length=2000)
    email: str = Field(max_length=2000)


_STUDENTS = TypeAdapter(list[Student])


def dump_students(session: Session, course_id: str) -> bytes:
    """Return a course's students as JSON, as a backup holds them."""
    members = session.scalars(
        select(Member)
        .where(Member.course_id == course_id, Member.role == Role.LEARNER)
        .order_by(Member.user)
    )
    return _STUDENTS.dump_json(
        [
            Student(
                user=m.user,
                sub=m.sub,
                name=m.name[:2000],
                given_name=m.given_name[:2000],
                family_name=m.family_name[:2000],
                email=m.email[:2000],
            )
            for m in members
        ]
    )


def parse_students(text: bytes) -> list[Student]:
    """Return the students of a backup. Raises BadArchive where they cannot be read."""
    try:
        return _STUDENTS.validate_json(text)
    except ValidationError as error:
        raise bad_backup("backup.students_damaged") from error


def restore_students(
    session: Session, course_id: str, students: list[Student], taken_at: datetime
) -> None:
    """Add the students who are not in a course any more; nobody's role changes."""
    present = set(session.scalars(select(Member.user).where(Member.course_id == course_id)))
    for student in students:
        if student.user not in present:
            present.add(student.user)
            session.add(
                Member(
                    course_id=course_id,
                    role=Role.LEARNER,
                    launched_at=taken_at,
                    **student.model_dump(),
                )
            )
