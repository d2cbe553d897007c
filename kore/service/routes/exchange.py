"""Assignments, submissions and feedback.

Bodies and answers that are archives are ``application/x-tar``: uncompressed, in pax format,
with plain files and folders under relative names in Unicode NFC.
"""

from __future__ import annotations

import unicodedata

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import (
    allow,
    caller,
    in_path,
    member_of,
    role,
    services,
    teacher_of,
)
from kore.service.db.models import now
from kore.service.exchange import assignments, quotas, submissions
from kore.service.exchange.schemas import (
    AssignmentPath,
    ExchangeState,
    IdempotencyHeader,
    ReleasedAssignment,
    ReleasedAssignments,
    SubmissionInfo,
    SubmissionPath,
    Submissions,
    SubmissionsQuery,
)
from kore.service.exchange.upload_attempts import first_attempt
from kore.service.routes.answers import answer, errors, responses
from kore.service.routes.streams import (
    ARCHIVE,
    TarBody,
    allow_archives,
    receiving_archive,
    send_archive,
)
from kore.service.schemas import CoursePath
from kore.shared.roles import Role

api = APIBlueprint(
    "exchange", __name__, url_prefix="/exchange/<course_id>", abp_tags=[Tag(name="exchange")]
)
api.url_value_preprocessor(allow_archives)
_ERRORS = (401, 403, 404, 422)
_FETCHED = {200: ARCHIVE, **errors(*_ERRORS, 429, 503)}
_STORING = (*_ERRORS, 400, 408, 409, 413, 415, 429, 503, 507)


@api.get("", responses=responses(200, ExchangeState, *_ERRORS))
@allow(member_of(in_path))
def exchange(path: CoursePath) -> Response:
    """Return the limits of the course's exchange, and how much is in it."""
    return answer(quotas.read_state(services(), path.course_id, _owner()))


@api.get("/assignments", responses=responses(200, ReleasedAssignments, *_ERRORS))
@allow(member_of(in_path))
def list_assignments(path: CoursePath) -> Response:
    """List what is released."""
    found = assignments.list_assignments(services(), path.course_id)
    return answer(ReleasedAssignments(assignments=found))


@api.put(
    "/assignments/<name>",
    responses={200: ReleasedAssignment, **responses(201, ReleasedAssignment, *_STORING)},
)
@allow(teacher_of(in_path))
def release_assignment(path: AssignmentPath, raw: TarBody) -> Response:  # noqa: ARG001
    """Release an assignment, instead of one of the same name."""
    with receiving_archive() as pieces:
        info, is_new = assignments.release_assignment(
            services(), path.course_id, _to_nfc(path.name), pieces, by=caller().name
        )
    return answer(info, 201 if is_new else 200)


@api.get("/assignments/<name>", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_assignment(path: AssignmentPath) -> Response:
    """Fetch a released assignment."""
    handle, row = assignments.open_assignment(services(), path.course_id, _to_nfc(path.name))
    return send_archive(handle, row, "assignment")


@api.delete("/assignments/<name>", responses={204: None, **errors(*_ERRORS)})
@allow(teacher_of(in_path))
def withdraw_assignment(path: AssignmentPath) -> Response:
    """Release an assignment no longer; submissions stay."""
    assignments.withdraw_assignment(
        services(), path.course_id, _to_nfc(path.name), by=caller().name
    )
    return Response(status=204)


@api.post("/assignments/<name>/submissions", responses=responses(201, SubmissionInfo, *_STORING))
@allow(member_of(in_path))
def submit(path: AssignmentPath, header: IdempotencyHeader, raw: TarBody) -> Response:  # noqa: ARG001
    """Submit work. It is stored whole, or not at all."""
    name, user, key = _to_nfc(path.name), caller().name, header.idempotency_key
    began = first_attempt(now(), path.course_id, name, user, key) if key else now()
    with receiving_archive() as pieces:
        info = submissions.submit(
            services(), path.course_id, name, pieces, user=user, key=key, began=began
        )
    return answer(info, 201)


@api.get("/submissions", responses=responses(200, Submissions, *_ERRORS))
@allow(member_of(in_path))
def list_submissions(path: CoursePath, query: SubmissionsQuery) -> Response:
    """List submissions, the oldest first: all for teachers, their own for others."""
    found = submissions.list_submissions(
        services(),
        path.course_id,
        assignment=_to_nfc(query.assignment) if query.assignment else None,
        user=_owner() or query.user or None,
    )
    return answer(Submissions(submissions=found))


@api.get("/submissions/<submission_id>", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_submission(path: SubmissionPath) -> Response:
    """Fetch a submission: anyone's for teachers, their own for others."""
    owner = _owner()
    handle, row = submissions.open_submission(services(), path.course_id, path.submission_id, owner)
    return send_archive(handle, row, "submission")


@api.put(
    "/submissions/<submission_id>/feedback",
    responses={200: SubmissionInfo, **responses(201, SubmissionInfo, *_STORING)},
)
@allow(teacher_of(in_path))
def release_feedback(path: SubmissionPath, raw: TarBody) -> Response:  # noqa: ARG001
    """Release feedback to the person who submitted, instead of an earlier one."""
    with receiving_archive() as pieces:
        info, is_new = submissions.release_feedback(
            services(), path.course_id, path.submission_id, pieces, by=caller().name
        )
    return answer(info, 201 if is_new else 200)


@api.get("/submissions/<submission_id>/feedback", responses=_FETCHED)
@allow(member_of(in_path))
def fetch_feedback(path: SubmissionPath) -> Response:
    """Fetch the feedback on a submission: on anyone's for teachers, on their own for others."""
    owner = _owner()
    handle, row = submissions.open_feedback(services(), path.course_id, path.submission_id, owner)
    return send_archive(handle, row, "feedback")


def _owner() -> str | None:
    """Return whose work alone the caller may see; None for teachers and admins, who see all."""
    return None if role() in {Role.INSTRUCTOR, None} else caller().name


def _to_nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)
