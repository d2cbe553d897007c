"""Kore's Flask application."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask_openapi3 import Info, OpenAPI, Server
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

import ananke
from kore.service import catalog, error_responses
from kore.service.auth import guards
from kore.service.auth.sessions import Callers
from kore.service.errors import KoreError
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
from kore.service.schemas import ErrorBody
from kore.service.services import Services
from kore.shared.files import write_once

# The body of a request is small JSON; nothing larger is read.
_MAX_BYTES = 2 * 1024 * 1024
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
        validation_error_callback=error_responses.answer_invalid,
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
    app.register_error_handler(KoreError, error_responses.answer_error)
    app.register_error_handler(HTTPException, error_responses.answer_http_error)
    app.register_error_handler(Exception, error_responses.answer_bug)
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


def _speak() -> None:
    """Render this request's messages in the language that its sender reads."""
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    spoken = catalog.languages()
    catalog.speak(next((language for language in wanted if language in spoken), catalog.ENGLISH))
