"""What service requests share: media types, errors in the LMS's manner, faults, the log."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from flask import Response, g, request

from ananke.demo.lms.behaviour import Fault
from ananke.demo.lms.platform import platform
from ananke.demo.lms.sockets import break_connection
from ananke.demo.lms.tokens import bearer_scopes

View = Callable[..., Response]
MAX_REASON = 400


class ServiceError(Exception):
    """A refused service request: status and cause."""

    def __init__(self, status: int, words: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers or {}


def service(name: str, *scopes: str) -> Callable[[View], View]:
    """Make a view a service: logged, throttled, faulty when told so, for holders of a scope.

    A token with any of `scopes` will do. `name` is one of behaviour.SERVICES.
    """

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def handle(*args: Any, **kwargs: Any) -> Response:
            behaviour = platform().behaviour
            started = time.monotonic()
            user = _user_in_body() if name == "score" else request.args.get("user_id")
            g.outcome = ""
            with behaviour.counted() as too_many:
                try:
                    answer = _serve(name, scopes, user, too_many, lambda: view(*args, **kwargs))
                except ServiceError as error:
                    g.outcome = error.words
                    answer = error_answer(error)
            behaviour.record(
                {
                    "service": name,
                    "method": request.method,
                    "path": request.full_path.rstrip("?"),
                    "user": user,
                    "status": answer.status_code,
                    "words": g.outcome,
                    "ms": round((time.monotonic() - started) * 1000, 1),
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
    behaviour = platform().behaviour
    fault = behaviour.next_fault(name, "before", user)
    if fault is not None and (answer := _fail(fault)) is not None:
        return answer
    if too_many:
        headers = {"Retry-After": "1", "X-Rate-Limit-Remaining": "0.0"}
        status = behaviour.throttle_status
        raise ServiceError(status, f"{status} (Rate Limit Exceeded)", headers=headers)
    if scopes:
        _authorise(scopes)
    answer = view()
    fault = behaviour.next_fault(name, "after", user)
    if fault is not None and (failed := _fail(fault)) is not None:
        return failed
    return answer


def _fail(fault: Fault) -> Response | None:
    """Answer as the fault says; None if the request goes on."""
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind in ("reset", "bad_status_line"):
        g.outcome = fault.kind
        return break_connection(fault.kind)
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    words = {
        "429": "Too Many Requests",
        "403": "Forbidden (Rate Limit Exceeded)",
        "503": "Service Unavailable",
        "500": "Internal Server Error",
    }[fault.kind]
    raise ServiceError(int(fault.kind), words, headers=headers)


def _authorise(scopes: tuple[str, ...]) -> None:
    held = bearer_scopes(request.headers.get("Authorization", ""))
    if held is None:
        headers = {"WWW-Authenticate": 'Bearer realm="lti", error="invalid_token"'}
        raise ServiceError(401, "Unauthorized", headers=headers)
    if not set(scopes) & held:
        raise ServiceError(platform().manner.missing_scope_status, "The token lacks the scope.")


def error_answer(error: ServiceError) -> Response:
    """Build the answer in which this LMS wraps an error."""
    style = platform().manner.errors
    if style == "reason":
        # The bytes of UTF-8 pass through WSGI as if they were Latin-1.
        words = " ".join(error.words.split())[:MAX_REASON].encode().decode("latin-1")
        answer = Response("[]", content_type="application/json")
        answer.status = f"{error.status} {words}"
    elif style == "json":
        body: dict[str, Any] = {"errors": {"type": _slug(error.status), "message": error.words}}
        answer = json_answer(body, status=error.status)
    else:
        body = {"type": "about:blank", "title": error.words, "status": error.status}
        answer = json_answer(body, "application/problem+json", status=error.status)
    answer.headers.extend(error.headers)
    return answer


def _slug(status: int) -> str:
    return {
        400: "bad_request",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        409: "conflict",
        422: "unprocessable_entity",
        429: "too_many_requests",
    }.get(status, "error")


def json_answer(body: Any, content_type: str = "application/json", status: int = 200) -> Response:
    """Build a JSON answer of the given media type."""
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status=status, content_type=content_type)


def require_query() -> None:
    """Refuse a request whose URL lost the parameters that our service URLs carry."""
    for name, value in platform().manner.query:
        if request.args.get(name) != value:
            raise ServiceError(404, f"The parameter {name} is missing or wrong.")


def require_accept(media_type: str) -> None:
    """Refuse an Accept header that this LMS does not understand as `media_type`."""
    kind = platform().manner.types
    header = request.headers.get("Accept", "").strip()
    if kind == "exact" and header != media_type:
        raise ServiceError(400, f"Bad Request: unexpected Accept header {header}")
    if kind == "named" and media_type not in _media_types(header):
        raise ServiceError(406, f"Accept must name {media_type}.")


def require_content(media_type: str) -> None:
    """Refuse a body of another media type."""
    kind = platform().manner.types
    header = request.headers.get("Content-Type", "").strip()
    if kind == "exact" and header != media_type:
        raise ServiceError(400, f"Bad Request: unexpected Content-Type {header}")
    if kind == "named" and media_type not in _media_types(header):
        raise ServiceError(415, f"The body must be {media_type}.")


def _media_types(header: str) -> list[str]:
    return [part.split(";")[0].strip().lower() for part in header.split(",")]


def json_object() -> dict[str, Any]:
    """Return the request's body, a JSON object without NaN or infinity."""
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ServiceError(400, "The body is not a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _user_in_body() -> str | None:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        return None
    user = body.get("userId") if isinstance(body, dict) else None
    return str(user) if isinstance(user, str | int) else None
