"""Who has signed in in this browser, and what the panel can offer them."""

from __future__ import annotations

from flask import Response, current_app
from flask_openapi3 import APIBlueprint, Tag
from flask_wtf.csrf import generate_csrf

from kore.guards import allow, caller, is_admin, user
from kore.routes.answers import answer, responses
from kore.schemas import SessionInfo

api = APIBlueprint("session", __name__, abp_tags=[Tag(name="session")])

# What the panel shows only where this Kore has its route: a page that was loaded before an
# update, or after one that was taken back, offers nothing that is not there.
_FEATURES = {
    "copy": "/courses/<course_id>/copies",
    "backups": "/courses/<course_id>/backups",
    "audit": "/courses/<course_id>/audit",
    "settings": "/courses/<course_id>/settings",
    "autograde": "/courses/<course_id>/autograde",
}


@api.get("/session", responses=responses(200, SessionInfo, 401, 403, 502, 503))
@allow(user)
def session() -> Response:
    """Say who is signed in, and give the proof that changing requests carry.

    The proof (``X-CSRFToken``) is good for the session in which it was given. Pages of other
    origins cannot read it.
    """
    there = {rule.rule for rule in current_app.url_map.iter_rules()}
    return answer(
        SessionInfo(
            user=caller().name,
            csrf=generate_csrf(),
            admin=is_admin(),
            features=sorted(name for name, rule in _FEATURES.items() if rule in there),
        )
    )
