"""The session of a browser: who has signed in."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from flask_wtf.csrf import generate_csrf

from kore.service.auth.guards import allow, caller, is_admin, user
from kore.service.routes.answers import answer, responses
from kore.service.schemas import SessionInfo

api = APIBlueprint("session", __name__, abp_tags=[Tag(name="session")])


@api.get("/session", responses=responses(200, SessionInfo, 401, 403, 502, 503))
@allow(user)
def session() -> Response:
    """Return who is signed in, and the CSRF token that requests which change something send.

    The token (header ``X-CSRFToken``) holds for the session in which it was given. Pages of
    other origins cannot read it.
    """
    return answer(SessionInfo(user=caller().name, csrf=generate_csrf(), admin=is_admin()))
