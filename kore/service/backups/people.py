"""The students of a course, in its backup: who they are in the LMS, so that grades reach them.

Teachers are not in it. Who teaches is for the LMS to say, at each launch.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from kore.service.backups.manifest import bad_backup
from kore.service.db.models import Member
from kore.shared.roles import Role

MOST_BYTES = 64 * 1024 * 1024


class Student(BaseModel):
    """A student: the hub's name, the LMS's id (LTI ``sub``), and what the LMS told of them."""

    model_config = ConfigDict(extra="forbid")

    user: str = Field(max_length=255, pattern=r"^u[a-z0-9_-]+$")
    sub: str = Field(max_length=255)
    name: str = Field(max_length=2000)
    given_name: str = Field(max_length=2000)
    family_name: str = Field(max_length=2000)
    email: str = Field(max_length=2000)


_STUDENTS = TypeAdapter(list[Student])


def written(session: Session, course_id: str) -> bytes:
    """Return a course's students as a backup holds them."""
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


def parsed(text: bytes) -> list[Student]:
    """Return the students of a backup. Raises KoreError where they cannot be read."""
    try:
        return _STUDENTS.validate_json(text)
    except ValidationError as error:
        raise bad_backup("The list of students in the backup is damaged.") from error


def bring_back(
    session: Session, course_id: str, students: list[Student], taken_at: datetime
) -> None:
    """Let students be in a course who are not any more; nobody's role changes."""
    there = set(session.scalars(select(Member.user).where(Member.course_id == course_id)))
    for student in students:
        if student.user not in there:
            there.add(student.user)
            session.add(
                Member(
                    course_id=course_id,
                    role=Role.LEARNER,
                    launched_at=taken_at,
                    **student.model_dump(),
                )
            )
