"""Work that people hand in, and the feedback on it that goes to the one who did.

The time of a submission is when it was first sent, by this machine's clock, as long as it
was here within a minute: who hands in at the last moment is not late for the time that a
machine under load takes. Slower ones count when their last byte is here, so that nobody
begins before the deadline and works on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import BufferedReader

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from kore.service.coursedir.duedates import find_due_dates
from kore.service.coursedir.gradebook import DueDates
from kore.service.db.models import Feedback, Handout, Submission, now
from kore.service.errors import KoreError
from kore.service.exchange import index, quotas
from kore.service.exchange.handouts import unknown_assignment
from kore.service.exchange.schemas import FeedbackInfo, SubmissionInfo
from kore.service.exchange.store import Archive
from kore.service.exchange.upload_attempts import GRACE
from kore.service.memberships import role_of
from kore.service.services import Services
from kore.shared.roles import Role

_TWICE = timedelta(seconds=60)
"""Equal work within this time is one submission: somebody clicked twice."""


def unknown_submission() -> KoreError:
    """Return the error for a submission that is not there, or not for this caller."""
    return KoreError(
        404,
        "submission_unknown",
        "There is no such submission for you.",
        "List the submissions again.",
    )


def listed(
    services: Services, course_id: str, *, assignment: str | None = None, user: str | None = None
) -> list[SubmissionInfo]:
    """List a course's submissions, the oldest first."""
    query = (
        select(Submission)
        .where(Submission.course_id == course_id)
        .options(selectinload(Submission.feedback))
        .order_by(Submission.received_at, Submission.id)
    )
    if assignment is not None:
        query = query.where(Submission.assignment == assignment)
    if user is not None:
        query = query.where(Submission.user == user)
    with services.db.reading() as session:
        rows = session.scalars(query).all()
    dues = find_due_dates(services, course_id)
    return [_info(row, dues) for row in rows]


def submit(
    services: Services,
    course_id: str,
    assignment: str,
    pieces: Iterable[bytes],
    *,
    user: str,
    key: str | None,
    began: datetime,
) -> SubmissionInfo:
    """Keep the work that a person hands in, and return what is known of it.

    ``began`` is when it was first sent; ``key`` names the request, whoever repeats it.
    The same work twice in a row is one submission. Raises KoreError; then nothing is kept.
    """
    limits = services.settings.limits
    key = f"client:{key}" if key else None
    with services.db.reading() as session:
        _check(session, course_id, assignment, user)
        quotas.check_course(session, limits, course_id)
        quotas.check_person(session, limits, course_id, user)
    with index.storing(services, course_id, pieces) as (session, archive, stale):
        moment = now()
        received_at = began if moment - began <= GRACE else moment
        _check(session, course_id, assignment, user)
        fresh = _row(archive, assignment, user, key, received_at)
        known = _known(session, fresh)
        row = known or fresh
        if known is not None:
            stale.append(archive.blob)
        else:
            session.add(fresh)
            session.flush()
            quotas.check_course(session, limits, course_id)
            quotas.check_person(session, limits, course_id, user)
    return _info(row, find_due_dates(services, course_id))


def find(session: Session, course_id: str, submission_id: str, owner: str | None) -> Submission:
    """Return a submission of a course; with ``owner`` only where it is theirs.

    Raises one and the same KoreError for those of others and those that are not there.
    """
    row = session.scalar(
        select(Submission)
        .where(Submission.id == submission_id, Submission.course_id == course_id)
        .options(selectinload(Submission.feedback))
    )
    if row is None or owner not in {None, row.user}:
        raise unknown_submission()
    return row


def fetch(
    services: Services, course_id: str, submission_id: str, owner: str | None
) -> tuple[BufferedReader, Submission]:
    """Open a submission's archive. ``owner`` and errors as for ``find``."""

    def look() -> Submission:
        with services.db.reading() as session:
            return find(session, course_id, submission_id, owner)

    return index.opened(services, course_id, look)


def give_feedback(
    services: Services, course_id: str, submission_id: str, pieces: Iterable[bytes]
) -> tuple[SubmissionInfo, bool]:
    """Store feedback in the place of an earlier one; say whether it is new."""
    limits = services.settings.limits
    with services.db.reading() as session:
        find(session, course_id, submission_id, None)
        quotas.check_course(session, limits, course_id)
    with index.storing(services, course_id, pieces) as (session, archive, stale):
        row = find(session, course_id, submission_id, None)
        new = row.feedback is None
        if row.feedback is None:
            row.feedback = Feedback(submission_id=row.id)
        else:
            stale.append(row.feedback.blob)
        index.put(row.feedback, archive)
        row.feedback.released_at = now()
        session.flush()
        quotas.check_course(session, limits, course_id)
    return _info(row, find_due_dates(services, course_id)), new


def fetch_feedback(
    services: Services, course_id: str, submission_id: str, owner: str | None
) -> tuple[BufferedReader, Feedback]:
    """Open the archive of a submission's feedback. ``owner`` and errors as for ``find``."""

    def look() -> Feedback:
        with services.db.reading() as session:
            row = find(session, course_id, submission_id, owner)
        if row.feedback is None:
            raise KoreError(
                404,
                "feedback_unknown",
                "There is no feedback on this submission yet.",
                "Come back when the teachers have released it.",
            )
        return row.feedback

    return index.opened(services, course_id, look)


def _check(session: Session, course_id: str, assignment: str, user: str) -> None:
    if role_of(session, course_id, user) not in {Role.LEARNER, Role.INSTRUCTOR}:
        raise KoreError(
            403,
            "learners_only",
            "Only the learners of this course, and its teachers to try it, hand work in.",
        )
    if session.get(Handout, (course_id, assignment)) is None:
        raise unknown_assignment()


def _known(session: Session, fresh: Submission) -> Submission | None:
    """Return the submission that a fresh one only repeats."""
    theirs = (
        select(Submission)
        .where(
            Submission.course_id == fresh.course_id,
            Submission.user == fresh.user,
            Submission.assignment == fresh.assignment,
        )
        .options(selectinload(Submission.feedback))
    )
    if fresh.key:
        same = session.scalar(theirs.where(Submission.key == fresh.key))
        if same is not None and same.content != fresh.content:
            raise KoreError(
                409,
                "key_reused",
                "Other work was handed in with the same Idempotency-Key.",
                "Send what is new with a new key.",
            )
        if same is not None:
            return same
    latest = session.scalar(
        theirs.order_by(Submission.received_at.desc(), Submission.id.desc()).limit(1)
    )
    if latest is None or latest.content != fresh.content:
        return None
    return latest if abs(fresh.received_at - latest.received_at) <= _TWICE else None


def _row(
    archive: Archive, assignment: str, user: str, key: str | None, received_at: datetime
) -> Submission:
    return Submission(
        id=secrets.token_hex(16),
        course_id=archive.course_id,
        assignment=assignment,
        user=user,
        received_at=received_at,
        content=archive.contents.content,
        key=key,
        notebooks=archive.contents.notebooks,
        blob=archive.blob,
        size=archive.size,
        sha256=archive.sha256,
        feedback=None,
    )


def _feedback(row: Feedback) -> FeedbackInfo:
    return FeedbackInfo(released_at=row.released_at, size=row.size, sha256=row.sha256)


def _info(row: Submission, dues: DueDates) -> SubmissionInfo:
    due = dues.of(row.assignment, row.user)
    return SubmissionInfo(
        id=row.id,
        user=row.user,
        assignment=row.assignment,
        received_at=row.received_at,
        size=row.size,
        sha256=row.sha256,
        late=due is not None and row.received_at > due,
        notebooks=row.notebooks,
        feedback=_feedback(row.feedback) if row.feedback else None,
    )
