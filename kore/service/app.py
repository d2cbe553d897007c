"""Kore's Flask application."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_openapi3 import Info, OpenAPI, Server
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

import ananke
from kore.service import catalog, errors
from kore.service.auth import guards
from kore.service.auth.sessions import Callers
from kore.service.errors import Invalid, InvalidField, KoreError, ServerFault
from kore.service.jobs import Runner
from kore.service.routes import (
    backups,
    copies,
    courses,
    exchange,
    grades,
    health,
    home,
    launches,
    lifecycle,
    lti,
)
from kore.service.routes import jobs as job_routes
from kore.service.routes import session as session_routes
from kore.service.routes.streams import drain_refused
from kore.service.schemas import ErrorBody, ErrorDetail
from kore.service.services import Services
from kore.shared.files import write_once

log = logging.getLogger(__name__)

# The body of a request is small JSON; nothing larger is read.
_MAX_BYTES = 2 * 1024 * 1024
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
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)


def create_app(services: Services, runner: Runner) -> Flask:
    """Return the application. Its routes lie at ``/``; ``mount`` puts them below the prefix."""
    app = OpenAPI(
        __package__,
        info=Info(title="Kore", version=ananke.__version__),
        servers=[Server(url=services.settings.prefix)],
        security_schemes={
            "token": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "A token of the hub: `token …`.",
            },
            "session": {"type": "apiKey", "in": "cookie", "name": "kore-session"},
        },
        doc_ui=False,
        validation_error_status=422,
        validation_error_model=ErrorBody,
        validation_error_callback=_invalid,
        responses={422: ErrorBody},
    )
    app.config.update(
        SECRET_KEY=_secret(services),
        MAX_CONTENT_LENGTH=_MAX_BYTES,
        SESSION_COOKIE_NAME="kore-session",
        SESSION_COOKIE_PATH=services.settings.prefix + "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.session_interface = _Sessions()
    app.extensions["kore-services"] = services
    app.extensions["kore-callers"] = Callers(services)
    app.extensions["kore-runner"] = runner
    guards.csrf.init_app(app)
    app.before_request(_speak)
    app.before_request(guards.check)
    app.after_request(_headers)
    app.after_request(drain_refused)
    app.register_error_handler(KoreError, _refuse)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    for module in (
        *(courses, copies, lifecycle, backups, exchange, grades),
        *(job_routes, launches, lti, session_routes, health),
    ):
        app.register_api(module.api)
    app.register_blueprint(home.pages)
    return app


def mount(app: Flask, prefix: str) -> Any:
    """Return a WSGI application that serves ``app`` below a path, behind the hub's proxy."""
    nothing = Flask("nothing")
    return ProxyFix(
        DispatcherMiddleware(nothing.wsgi_app, {prefix: app.wsgi_app}),
        x_for=1,
        x_proto=1,
        x_host=1,
    )


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookies, ``Secure`` wherever the browser came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        return request.is_secure


def _secret(services: Services) -> bytes:
    path = services.settings.state_dir / "session-secret"
    write_once(path, secrets.token_bytes(32))
    return path.read_bytes()


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.args.get("v") and response.status_code == HTTPStatus.OK:
        # The address names the build.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def status_of(error: KoreError) -> int:
    """Return the HTTP status (RFC 9110) of an error of the domain."""
    found = (_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def _speak() -> None:
    """Render this request's messages in the language that its sender reads."""
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    spoken = catalog.languages()
    catalog.speak(next((language for language in wanted if language in spoken), catalog.ENGLISH))


def _invalid(error: ValidationError) -> Response:
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


def _refuse(error: KoreError) -> ResponseReturnValue:
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s: %s", request.method, request.path, error)
    return _respond(error)


def _http(error: HTTPException) -> ResponseReturnValue:
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


def _unexpected(error: Exception) -> ResponseReturnValue:
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
