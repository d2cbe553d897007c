"""Setting the behaviour of the LMS, and reading its request log, for tests."""

from __future__ import annotations

from flask import Blueprint, Response, request

from ananke.demo.lms.behaviour import BehaviourError
from ananke.demo.lms.errors import PageError
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.service_requests import make_json_response

blueprint = Blueprint("manage_behaviour", __name__)


@blueprint.get("/api/behaviour")
def show_behaviour() -> Response:
    """Return the settings of the LMS's behaviour."""
    return make_json_response(get_current_platform().behaviour.to_dict())


@blueprint.put("/api/behaviour")
def change_behaviour() -> Response:
    """Change settings of the LMS's behaviour; a restart resets them."""
    behaviour = get_current_platform().behaviour
    try:
        behaviour.change(request.get_json(silent=True))
    except BehaviourError as error:
        raise PageError(400, str(error)) from error
    return make_json_response(behaviour.to_dict())


@blueprint.get("/api/requests")
def show_requests() -> Response:
    """List the service requests since the start or the last DELETE, oldest first."""
    return make_json_response({"requests": get_current_platform().behaviour.list_requests()})


@blueprint.delete("/api/requests")
def clear_requests() -> Response:
    """Clear the list of service requests."""
    get_current_platform().behaviour.clear_requests()
    return Response(status=204)
