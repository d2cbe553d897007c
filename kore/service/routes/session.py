"""Who has signed in in this browser."""

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
    """Say who is signed in, and give the proof that changing requests carry.

    The proof (``X-CSRFToken``) is good for the session in which it was given. Pages of other
    origins cannot read it.
    """
    return answer(SessionInfo(user=caller().name, csrf=generate_csrf(), admin=is_admin()))
