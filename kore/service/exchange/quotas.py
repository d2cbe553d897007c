"""How much a course, and one person in it, may have in the store."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kore.service.db.models import Feedback, Handout, Submission
from kore.service.errors import KoreError
from kore.service.exchange.archives import in_words
from kore.service.exchange.schemas import ExchangeLimits, ExchangeState
from kore.service.services import Services
from kore.service.settings import Limits


def state(services: Services, course_id: str, owner: str | None) -> ExchangeState:
    """Return the limits, and what a course has in the store, or with ``owner`` they have."""
    limits = services.settings.limits
    with services.db.reading() as session:
        used = (
            used_by_course(session, course_id)
            if owner is None
            else used_by_person(session, course_id, owner)
        )
    return ExchangeState(course=course_id, limits=ExchangeLimits(**asdict(limits)), used=used)


def used_by_course(session: Session, course_id: str) -> int:
    """Return how many bytes a course has in the store."""
    feedback = (
        select(func.sum(Feedback.size))
        .join(Submission, Submission.id == Feedback.submission_id)
        .where(Submission.course_id == course_id)
    )
    return sum(
        int(session.scalar(query) or 0)
        for query in (
            select(func.sum(Handout.size)).where(Handout.course_id == course_id),
            select(func.sum(Submission.size)).where(Submission.course_id == course_id),
            feedback,
        )
    )


def used_by_person(session: Session, course_id: str, user: str) -> int:
    """Return how many bytes somebody has handed in, in a course."""
    query = select(func.sum(Submission.size)).where(
        Submission.course_id == course_id, Submission.user == user
    )
    return int(session.scalar(query) or 0)


def check_course(session: Session, limits: Limits, course_id: str) -> None:
    """Raise KoreError where a course has more in the store than it may."""
    if used_by_course(session, course_id) > limits.course:
        raise KoreError(
            507,
            "quota",
            f"The exchange of this course is full: its limit is {in_words(limits.course)}.",
            "Keep your work as it is and tell the teachers of the course. The administrator "
            "of this system can raise the limit (KORE_LIMIT_COURSE).",
        )


def check_person(session: Session, limits: Limits, course_id: str, user: str) -> None:
    """Raise KoreError where somebody has handed in more than one person may."""
    if used_by_person(session, course_id, user) > limits.person:
        raise KoreError(
            409,
            "quota",
            "All that you have handed in, in this course, would be larger than the limit of "
            f"{in_words(limits.person)} for one person.",
            "What you handed in before is safe. Tell the teachers of the course; the "
            "administrator of this system can raise the limit (KORE_LIMIT_PERSON).",
        )
