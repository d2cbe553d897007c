"""Maps errors to HTTP: which status each has, and what is answered."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from kore.service import errors
from kore.service.errors import Invalid, InvalidField, KoreError, ServerFault
from kore.service.routes import home
from kore.service.schemas import ErrorBody, ErrorDetail

log = logging.getLogger(__name__)

_STATUS: dict[type[KoreError], HTTPStatus] = {
    errors.BadRequest: HTTPStatus.BAD_REQUEST,
    errors.NotSignedIn: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UpstreamFailed: HTTPStatus.BAD_GATEWAY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
}
# Faults that validation finds and that have a text of their own, by pydantic's type of error.
_FAULTS = {
    "missing": "invalid.missing",
    "string_too_short": "invalid.string_too_short",
    "string_too_long": "invalid.string_too_long",
}
# What Flask refuses by itself.
_HTTP_ERRORS = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large.request",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
}


def status_of(error: KoreError) -> int:
    """Return the HTTP status (RFC 9110) of an error of the domain."""
    found = (_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def answer_invalid(error: ValidationError) -> Response:
    """Answer a request whose content is not what the route takes."""
    found = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in found["loc"])
    context = found.get("ctx", {})
    if isinstance(context.get("error"), InvalidField):
        return _respond(Invalid(context["error"].message_id, field=field))
    fault = _FAULTS.get(found["type"])
    if fault is None:
        return _respond(Invalid("invalid", field=field, said=found["msg"]))
    limit = context.get("min_length", context.get("max_length"))
    params = {} if limit is None else {"n": limit}
    return _respond(Invalid(fault, field=field, **params))


def answer_error(error: KoreError) -> ResponseReturnValue:
    """Answer with an error of the domain."""
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s: %s", request.method, request.path, error)
    return _respond(error)


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer with what Flask or Werkzeug refuses."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if error.response is not None and status < HTTPStatus.BAD_REQUEST:
        return error
    known = _HTTP_ERRORS.get(HTTPStatus(status))
    said = HTTPStatus(status).phrase
    refusal = KoreError(known) if known else KoreError("http_error", status=status, said=said)
    response = _respond(refusal, status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def answer_bug(error: Exception) -> ResponseReturnValue:
    """Log what nobody expected, and give nothing of it away."""
    log.exception("%s %s", request.method, request.path, exc_info=error)
    return _respond(ServerFault("internal"))


def _respond(error: KoreError, status: int | None = None) -> Response:
    status = status or status_of(error)
    if home.wants_page(request):
        return home.error_page(error, status)
    body = ErrorBody(
        error=ErrorDetail(
            code=error.code,
            message=str(error),
            params=error.message.to_data()["params"],
            hint=error.hint or None,
        )
    )
    response = Response(
        body.model_dump_json(exclude_none=True), status=status, content_type="application/json"
    )
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "token"
    return response
