"""Whether Kore works, and the document of its API."""

from __future__ import annotations

from flask import Response, current_app, jsonify
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import allow, services
from kore.service.errors import Unavailable
from kore.service.routes.answers import answer, responses
from kore.service.schemas import Health

api = APIBlueprint("health", __name__, abp_tags=[Tag(name="health")])


@api.get("/health", responses=responses(200, Health, 503))
@allow(None)
def health() -> Response:
    """Answer when Kore and its database work."""
    try:
        services().db.check()
    except Exception as error:
        raise Unavailable("database_away") from error
    return answer(Health(status="ok"))


@api.get(
    "/openapi.json",
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
)
@allow(None)
def openapi() -> Response:
    """Describe this API (OpenAPI 3.1)."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]
