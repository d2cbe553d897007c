"""Launches, told by the hub's login."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import allow, hub_login, services
from kore.service.courses.launches import record
from kore.service.errors import KoreError
from kore.service.routes.answers import answer, responses
from kore.service.routes.jobs import runner
from kore.service.schemas import LaunchNotice, LaunchRecorded
from kore.shared.lti.claims import ClaimError, Launch

api = APIBlueprint("launches", __name__, abp_tags=[Tag(name="launches")])
_ERRORS = (401, 403, 422)


@api.post("/launches", responses=responses(202, LaunchRecorded, *_ERRORS))
@allow(hub_login)
def tell_launch(body: LaunchNotice) -> Response:
    """Keep what a launch tells; the course is set up in the background."""
    try:
        launch = Launch.from_claims(body.claims, client_id=body.client_id)
    except ClaimError as error:
        raise KoreError(422, "invalid", str(error)) from error
    recorded = record(
        services().db,
        body.user,
        launch,
        token_url=body.platform.token_url,
        user_created_at=body.user_created_at,
    )
    if recorded.queued:
        runner().wake()
    return answer(LaunchRecorded(course=recorded.course_id), 202)
