"""Launches, reported by the hub's login."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import allow, hub_login, services
from kore.service.courses.launches import record_launch
from kore.service.courses.provision import restore_hub_user
from kore.service.errors import Invalid
from kore.service.routes.answers import answer, responses
from kore.service.routes.jobs import runner
from kore.service.schemas import LaunchNotice, LaunchRecorded
from kore.shared.lti.claims import ClaimError, Launch
from kore.shared.roles import Role

api = APIBlueprint("launches", __name__, abp_tags=[Tag(name="launches")])
_ERRORS = (401, 403, 422, 502, 503)


@api.post("/launches", responses=responses(202, LaunchRecorded, *_ERRORS))
@allow(hub_login)
def receive_launch(body: LaunchNotice) -> Response:
    """Record a launch; the course is set up in the background."""
    try:
        launch = Launch.from_claims(body.claims, client_id=body.client_id)
    except ClaimError as error:
        raise Invalid("invalid", field="claims", said=str(error)) from error
    recorded = record_launch(
        services().db,
        body.user,
        launch,
        token_url=body.platform.token_url,
        service_hosts=body.platform.service_hosts,
        user_created_at=body.user_created_at,
    )
    queued = recorded.queued
    if launch.role is Role.INSTRUCTOR and not queued:
        queued = restore_hub_user(services(), recorded.course_id)
    if queued:
        runner().wake()
    return answer(LaunchRecorded(course=recorded.course_id), 202)
