"""Courses by their id, and what someone is in one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kore.service.db.models import Course, Member
from kore.service.errors import NotFound
from kore.shared.roles import Role


def find_course(session: Session, course_id: str) -> Course:
    """Return a course. Raises the NotFound that hides whether it exists."""
    course = session.get(Course, course_id)
    if course is None:
        raise NotFound("course_unknown")
    return course


def find_role(session: Session, course_id: str, user: str) -> Role | None:
    """Return what a user is in a course; None for strangers and unknown courses.

    A course's own account counts as its instructor: only its instructors can act as it.
    """
    if user == course_id:
        return Role.INSTRUCTOR if session.get(Course, course_id) else None
    member = session.get(Member, (course_id, user))
    return member.role if member else None
