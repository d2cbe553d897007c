"""What all service requests share: scopes, media types, errors, faults, the request log."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from flask import Response, g, request

from ananke.demo.lms.behaviour import Fault
from ananke.demo.lms.broken_connections import break_connection
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.tokens import find_bearer_scopes

View = Callable[..., Response]
MAX_REASON_CHARS = 400


class ServiceError(Exception):
    """A refused service request: status and reason."""

    def __init__(self, status: int, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def service_endpoint(name: str, *scopes: str) -> Callable[[View], View]:
    """Make a view a service: logged, throttled, with faults, for tokens with a scope.

    A token needs one of `scopes`. `name` is one of behaviour.SERVICES.
    """

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def handle(*args: Any, **kwargs: Any) -> Response:
            behaviour = get_current_platform().behaviour
            started = time.monotonic()
            user = _find_user_in_body() if name == "score" else request.args.get("user_id")
            g.outcome = ""
            with behaviour.count_request() as too_many:
                try:
                    answer = _serve(name, scopes, user, too_many, lambda: view(*args, **kwargs))
                except ServiceError as error:
                    g.outcome = error.message
                    answer = make_error_response(error)
            behaviour.record_request(
                {
                    "service": name,
                    "method": request.method,
                    "path": request.full_path.rstrip("?"),
                    "user": user,
                    "status": answer.status_code,
                    "message": g.outcome,
                    "duration_ms": round((time.monotonic() - started) * 1000, 1),
                }
            )
            return answer

        return handle

    return wrap


def _serve(
    name: str,
    scopes: tuple[str, ...],
    user: str | None,
    too_many: bool,
    view: Callable[[], Response],
) -> Response:
    behaviour = get_current_platform().behaviour
    fault = behaviour.take_fault(name, "before", user)
    if fault is not None and (answer := _apply_fault(fault)) is not None:
        return answer
    if too_many:
        headers = {"Retry-After": "1", "X-Rate-Limit-Remaining": "0.0"}
        status = behaviour.throttle_status
        raise ServiceError(status, f"{status} (Rate Limit Exceeded)", headers=headers)
    if scopes:
        _check_scopes(scopes)
    answer = view()
    fault = behaviour.take_fault(name, "after", user)
    if fault is not None and (failed := _apply_fault(fault)) is not None:
        return failed
    return answer


def _apply_fault(fault: Fault) -> Response | None:
    """Return the answer of a fault; None if the request continues."""
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind in ("reset", "bad_status_line"):
        g.outcome = fault.kind
        return break_connection(fault.kind)
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    message = {
        "429": "Too Many Requests",
        "403": "Forbidden (Rate Limit Exceeded)",
        "503": "Service Unavailable",
        "500": "Internal Server Error",
    }[fault.kind]
    raise ServiceError(int(fault.kind), message, headers=headers)


def _check_scopes(scopes: tuple[str, ...]) -> None:
    held = find_bearer_scopes(request.headers.get("Authorization", ""))
    if held is None:
        headers = {"WWW-Authenticate": 'Bearer realm="lti", error="invalid_token"'}
        raise ServiceError(401, "Unauthorized", headers=headers)
    if not set(scopes) & held:
        raise ServiceError(
            get_current_platform().profile.missing_scope_status, "The token lacks the scope."
        )


def make_error_response(error: ServiceError) -> Response:
    """Return an error in the form of this LMS."""
    style = get_current_platform().profile.errors
    if style == "reason":
        # WSGI passes the bytes of UTF-8 as if they were Latin-1.
        reason = " ".join(error.message.split())[:MAX_REASON_CHARS].encode().decode("latin-1")
        answer = Response("[]", content_type="application/json")
        answer.status = f"{error.status} {reason}"
    elif style == "json":
        body: dict[str, Any] = {
            "errors": {"type": _get_error_type(error.status), "message": error.message}
        }
        answer = make_json_response(body, status=error.status)
    else:
        body = {"type": "about:blank", "title": error.message, "status": error.status}
        answer = make_json_response(body, "application/problem+json", status=error.status)
    answer.headers.extend(error.headers)
    return answer


def _get_error_type(status: int) -> str:
    return {
        400: "bad_request",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        422: "unprocessable_entity",
        429: "too_many_requests",
    }.get(status, "error")


def make_json_response(
    body: Any, content_type: str = "application/json", status: int = 200
) -> Response:
    """Return a JSON response with the given media type."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, content_type=content_type)


def require_query() -> None:
    """Refuse a request without the parameters of our service URLs."""
    for name, value in get_current_platform().profile.query:
        if request.args.get(name) != value:
            raise ServiceError(404, f"The parameter {name} is missing or wrong.")


def require_accept(media_type: str) -> None:
    """Refuse an Accept header that this LMS does not accept for `media_type`."""
    kind = get_current_platform().profile.types
    header = request.headers.get("Accept", "").strip()
    if kind == "exact" and header != media_type:
        raise ServiceError(400, f"Bad Request: unexpected Accept header {header}")
    if kind == "named" and media_type not in _parse_media_types(header):
        raise ServiceError(406, f"Accept must name {media_type}.")


def require_content_type(media_type: str) -> None:
    """Refuse a body of another media type."""
    kind = get_current_platform().profile.types
    header = request.headers.get("Content-Type", "").strip()
    if kind == "exact" and header != media_type:
        raise ServiceError(400, f"Bad Request: unexpected Content-Type {header}")
    if kind == "named" and media_type not in _parse_media_types(header):
        raise ServiceError(415, f"The body must be {media_type}.")


def _parse_media_types(header: str) -> list[str]:
    return [part.split(";")[0].strip().lower() for part in header.split(",")]


def read_json_object() -> dict[str, Any]:
    """Return the request's body, a JSON object without NaN and infinity."""
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ServiceError(400, "The body is not a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _find_user_in_body() -> str | None:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return None
    user = body.get("userId") if isinstance(body, dict) else None
    return str(user) if isinstance(user, str | int) else None
