"""How much a course, and one person in it, may have in the store."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kore.service.db.exchange_models import Feedback, Handout, Submission
from kore.service.errors import QuotaExceeded
from kore.service.exchange.schemas import ExchangeLimits, ExchangeState
from kore.service.services import Services
from kore.service.settings import Limits


def read_state(services: Services, course_id: str, owner: str | None) -> ExchangeState:
    """Return the limits, and how much a course, or with ``owner`` this person, has stored."""
    limits = services.settings.limits
    with services.db.reading() as session:
        used = (
            measure_course(session, course_id)
            if owner is None
            else measure_person(session, course_id, owner)
        )
    return ExchangeState(course=course_id, limits=ExchangeLimits(**asdict(limits)), used=used)


def measure_course(session: Session, course_id: str) -> int:
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


def measure_person(session: Session, course_id: str, user: str) -> int:
    """Return how many bytes of submissions someone has in a course."""
    query = select(func.sum(Submission.size)).where(
        Submission.course_id == course_id, Submission.user == user
    )
    return int(session.scalar(query) or 0)


def check_course(session: Session, limits: Limits, course_id: str) -> None:
    """Raise QuotaExceeded where a course has more in the store than it may."""
    if measure_course(session, course_id) > limits.course:
        raise QuotaExceeded("quota.course", limit=limits.course)


def check_person(session: Session, limits: Limits, course_id: str, user: str) -> None:
    """Raise QuotaExceeded where someone has submitted more than one person may."""
    if measure_person(session, course_id, user) > limits.person:
        raise QuotaExceeded("quota.person", limit=limits.person)
