"""What an LMS asks of Kore."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import allow, services
from kore.service.routes.answers import answer, responses
from kore.service.schemas import Jwks

api = APIBlueprint("lti", __name__, abp_tags=[Tag(name="lti")])


@api.get("/jwks", responses=responses(200, Jwks))
@allow(None)
def jwks() -> Response:
    """Publish the keys that Kore signs with (RFC 7517); an LMS reads them."""
    response = answer(Jwks.model_validate(services().keys.jwks()))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
