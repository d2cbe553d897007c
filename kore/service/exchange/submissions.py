"""Submissions, and the feedback on them for the person who submitted.

The time of a submission is when it was first sent, by this machine's clock, if it was complete
within a minute: nobody who submits at the last moment is late because a machine under load
takes its time. Slower ones count when their last byte is here, so that nobody starts an upload
before the deadline and works on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import BufferedReader

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from kore.service import audit
from kore.service.coursedir.duedates import find_due_dates
from kore.service.coursedir.gradebook import DueDates
from kore.service.db.exchange_models import Feedback, Submission
from kore.service.db.models import now
from kore.service.errors import Conflict, Forbidden, NotFound
from kore.service.exchange import index, quotas
from kore.service.exchange.assignments import find_assignment
from kore.service.exchange.schemas import FeedbackInfo, SubmissionInfo
from kore.service.exchange.store import Archive
from kore.service.exchange.upload_attempts import GRACE
from kore.service.memberships import find_role
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.roles import Role

_DOUBLE_CLICK = timedelta(seconds=60)
"""Equal work within this time is one submission."""
_GATHER = timedelta(minutes=10)
"""nbgrader releases feedback to one student after the other: one entry in the audit."""


def list_submissions(
    services: Services, course_id: str, *, assignment: str | None = None, user: str | None = None
) -> list[SubmissionInfo]:
    """Return a course's submissions, the oldest first."""
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
    return [_to_schema(row, dues) for row in rows]


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
    """Store the work that a person submits, and return what is known of it.

    ``began`` is when it was first sent; ``key`` names the request across repetitions. The
    same work twice in a row is one submission. Raises KoreError; nothing is stored then.
    """
    limits = services.settings.limits
    key = f"client:{key}" if key else None
    with services.db.reading() as session:
        _check_may_submit(session, course_id, assignment, user)
        quotas.check_course(session, limits, course_id)
        quotas.check_person(session, limits, course_id, user)
    with index.storing_archive(services, course_id, pieces) as (session, archive, stale):
        moment = now()
        received_at = began if moment - began <= GRACE else moment
        _check_may_submit(session, course_id, assignment, user)
        new = _make_row(archive, assignment, user, key, received_at)
        known = _find_repeated(session, new)
        row = known or new
        if known is not None:
            stale.append(archive.blob)
        else:
            session.add(new)
            session.flush()
            quotas.check_course(session, limits, course_id)
            quotas.check_person(session, limits, course_id, user)
    return _to_schema(row, find_due_dates(services, course_id))


def find_submission(
    session: Session, course_id: str, submission_id: str, owner: str | None
) -> Submission:
    """Return a submission of a course; with ``owner`` only if it is theirs.

    Raises the same NotFound for those of others and those that are not there.
    """
    row = session.scalar(
        select(Submission)
        .where(Submission.id == submission_id, Submission.course_id == course_id)
        .options(selectinload(Submission.feedback))
    )
    if row is None or owner not in {None, row.user}:
        raise NotFound("submission_unknown")
    return row


def open_submission(
    services: Services, course_id: str, submission_id: str, owner: str | None
) -> tuple[BufferedReader, Submission]:
    """Open a submission's archive. ``owner`` and errors as for ``find_submission``."""

    def find() -> Submission:
        with services.db.reading() as session:
            return find_submission(session, course_id, submission_id, owner)

    return index.open_archive(services, course_id, find)


def release_feedback(
    services: Services, course_id: str, submission_id: str, pieces: Iterable[bytes], *, by: str
) -> tuple[SubmissionInfo, bool]:
    """Store feedback, instead of an earlier one; return the submission and whether it is new."""
    limits = services.settings.limits
    with services.db.reading() as session:
        assignment = find_submission(session, course_id, submission_id, None).assignment
    with audit.recording(
        services.db,
        course_id,
        by=by,
        action="exchange.feedback",
        message=message("audit.feedback", assignment=assignment),
        gather=_GATHER,
    ):
        with services.db.reading() as session:
            quotas.check_course(session, limits, course_id)
        with index.storing_archive(services, course_id, pieces) as (session, archive, stale):
            row = find_submission(session, course_id, submission_id, None)
            is_new = row.feedback is None
            if row.feedback is None:
                row.feedback = Feedback(submission_id=row.id)
            else:
                stale.append(row.feedback.blob)
            index.assign_archive(row.feedback, archive)
            row.feedback.released_at = now()
            session.flush()
            quotas.check_course(session, limits, course_id)
    return _to_schema(row, find_due_dates(services, course_id)), is_new


def open_feedback(
    services: Services, course_id: str, submission_id: str, owner: str | None
) -> tuple[BufferedReader, Feedback]:
    """Open the archive of a submission's feedback. ``owner`` and errors as for the submission."""

    def find() -> Feedback:
        with services.db.reading() as session:
            row = find_submission(session, course_id, submission_id, owner)
        if row.feedback is None:
            raise NotFound("feedback_unknown")
        return row.feedback

    return index.open_archive(services, course_id, find)


def _check_may_submit(session: Session, course_id: str, assignment: str, user: str) -> None:
    if find_role(session, course_id, user) not in {Role.LEARNER, Role.INSTRUCTOR}:
        raise Forbidden("learners_only")
    find_assignment(session, course_id, assignment)


def _find_repeated(session: Session, new: Submission) -> Submission | None:
    """Return the submission that a new one only repeats."""
    theirs = (
        select(Submission)
        .where(
            Submission.course_id == new.course_id,
            Submission.user == new.user,
            Submission.assignment == new.assignment,
        )
        .options(selectinload(Submission.feedback))
    )
    if new.key:
        same = session.scalar(theirs.where(Submission.key == new.key))
        if same is not None and same.content != new.content:
            raise Conflict("key_reused")
        if same is not None:
            return same
    latest = session.scalar(
        theirs.order_by(Submission.received_at.desc(), Submission.id.desc()).limit(1)
    )
    if latest is None or latest.content != new.content:
        return None
    return latest if abs(new.received_at - latest.received_at) <= _DOUBLE_CLICK else None


def _make_row(
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


def _to_schema(row: Submission, dues: DueDates) -> SubmissionInfo:
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
        feedback=_feedback_to_schema(row.feedback) if row.feedback else None,
    )


def _feedback_to_schema(row: Feedback) -> FeedbackInfo:
    return FeedbackInfo(released_at=row.released_at, size=row.size, sha256=row.sha256)
