"""Work handed out and in.

Bodies and answers that are archives are ``application/x-tar``: uncompressed, in pax format,
with plain files and folders under relative names in Unicode NFC.
"""

from __future__ import annotations

import unicodedata
from contextlib import AbstractContextManager
from datetime import timedelta

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import audit
from kore.service.auth.guards import (
    allow,
    caller,
    in_path,
    is_admin,
    member_of,
    services,
    teacher_of,
)
from kore.service.db.models import now
from kore.service.exchange import handouts, quotas, submissions
from kore.service.exchange.schemas import (
    ExchangeState,
    HandoutInfo,
    HandoutPath,
    Handouts,
    IdempotencyHeader,
    SubmissionInfo,
    SubmissionPath,
    Submissions,
    SubmissionsQuery,
)
from kore.service.exchange.upload_attempts import first_try
from kore.service.memberships import role_of
from kore.service.routes.answers import answer, errors, responses
from kore.service.routes.streams import (
    ARCHIVE,
    TarBody,
    incoming,
    outgoing,
    takes_archives,
)
from kore.service.schemas import CoursePath
from kore.shared.messages import plain
from kore.shared.roles import Role

api = APIBlueprint(
    "exchange", __name__, url_prefix="/exchange/<course_id>", abp_tags=[Tag(name="exchange")]
)
api.url_value_preprocessor(takes_archives)
_ERRORS = (401, 403, 404, 422)
_FETCHED = {200: ARCHIVE, **errors(*_ERRORS, 429, 503)}
# nbgrader gives feedback to one student after the other.
_GATHERED = timedelta(minutes=10)
_STORING = (*_ERRORS, 400, 408, 409, 413, 415, 429, 503, 507)


@api.get("", responses=responses(200, ExchangeState, *_ERRORS))
@allow(member_of(in_path))
def exchange(path: CoursePath) -> Response:
    """Say how much the course's exchange takes, and how much is in it."""
    return answer(quotas.state(services(), path.course_id, _owner(path.course_id)))


@api.get("/assignments", responses=responses(200, Handouts, *_ERRORS))
@allow(member_of(in_path))
def list_assignments(path: CoursePath) -> Response:
    """List what is released."""
    return answer(Handouts(assignments=handouts.listed(services(), path.course_id)))


@api.put(
    "/assignments/<name>", responses={200: HandoutInfo, **responses(201, HandoutInfo, *_STORING)}
)
@allow(teacher_of(in_path))
def release_assignment(path: HandoutPath, raw: TarBody) -> Response:  # noqa: ARG001
    """Release an assignment, in the place of one of the same name."""
    name = _nfc(path.name)
    with _noting(path.course_id, "exchange.release", f"Released {name}"), incoming() as pieces:
        info, new = handouts.release(services(), path.course_id, name, pieces)
    return answer(info, 201 if new else 200)


@api.get("/assignments/<name>", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_assignment(path: HandoutPath) -> Response:
    """Fetch a released assignment."""
    handle, row = handouts.fetch(services(), path.course_id, _nfc(path.name))
    return outgoing(handle, row, "assignment")


@api.delete("/assignments/<name>", responses={204: None, **errors(*_ERRORS)})
@allow(teacher_of(in_path))
def withdraw_assignment(path: HandoutPath) -> Response:
    """Take an assignment back; what was handed in stays."""
    name = _nfc(path.name)
    with _noting(path.course_id, "exchange.withdraw", f"Took back {name}"):
        handouts.withdraw(services(), path.course_id, name)
    return Response(status=204)


@api.post("/assignments/<name>/submissions", responses=responses(201, SubmissionInfo, *_STORING))
@allow(member_of(in_path))
def submit(path: HandoutPath, header: IdempotencyHeader, raw: TarBody) -> Response:  # noqa: ARG001
    """Hand work in. It is stored whole, or not at all."""
    name, user, key = _nfc(path.name), caller().name, header.idempotency_key
    began = first_try(now(), path.course_id, name, user, key) if key else now()
    with incoming() as pieces:
        info = submissions.submit(
            services(), path.course_id, name, pieces, user=user, key=key, began=began
        )
    return answer(info, 201)


@api.get("/submissions", responses=responses(200, Submissions, *_ERRORS))
@allow(member_of(in_path))
def list_submissions(path: CoursePath, query: SubmissionsQuery) -> Response:
    """List submissions, the oldest first: all for teachers, their own for others."""
    found = submissions.listed(
        services(),
        path.course_id,
        assignment=_nfc(query.assignment) if query.assignment else None,
        user=_owner(path.course_id) or query.user or None,
    )
    return answer(Submissions(submissions=found))


@api.get("/submissions/<submission_id>", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_submission(path: SubmissionPath) -> Response:
    """Fetch work that was handed in: anybody's for teachers, their own for others."""
    owner = _owner(path.course_id)
    handle, row = submissions.fetch(services(), path.course_id, path.submission_id, owner)
    return outgoing(handle, row, "submission")


@api.put(
    "/submissions/<submission_id>/feedback",
    responses={200: SubmissionInfo, **responses(201, SubmissionInfo, *_STORING)},
)
@allow(teacher_of(in_path))
def give_feedback(path: SubmissionPath, raw: TarBody) -> Response:  # noqa: ARG001
    """Give feedback to the one who handed a submission in, in the place of an earlier one."""
    with incoming() as pieces:
        info, new = submissions.give_feedback(
            services(), path.course_id, path.submission_id, pieces
        )
    with services().db.session() as session:
        audit.record(
            session,
            path.course_id,
            by=caller().name,
            action="exchange.feedback",
            message=plain(f"Gave feedback on {info.assignment}"),
            gather=_GATHERED,
        )
    return answer(info, 201 if new else 200)


@api.get("/submissions/<submission_id>/feedback", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_feedback(path: SubmissionPath) -> Response:
    """Fetch the feedback on a submission: on anybody's for teachers, on their own for others."""
    owner = _owner(path.course_id)
    handle, row = submissions.fetch_feedback(services(), path.course_id, path.submission_id, owner)
    return outgoing(handle, row, "feedback")


def _noting(course_id: str, action: str, words: str) -> AbstractContextManager[None]:
    return audit.recording(
        services().db, course_id, by=caller().name, action=action, message=plain(words)
    )


def _owner(course_id: str) -> str | None:
    """Return whose work alone the caller may see; None for teachers and admins, who see all."""
    with services().db.reading() as session:
        role = role_of(session, course_id, caller().name)
    if role is Role.INSTRUCTOR or (role is None and is_admin()):
        return None
    return caller().name


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)
