"""The LMS as a WSGI application."""

from __future__ import annotations

from flask import Flask

from ananke.demo.lms import (
    api,
    errors,
    lineitems,
    manage_behaviour,
    manage_courses,
    manage_grades,
    nrps,
    oidc,
    pages,
    request_checks,
    sample_data,
    scores,
    tokens,
)
from ananke.demo.lms.behaviour import Behaviour
from ananke.demo.lms.broken_connections import BreakingConnections
from ananke.demo.lms.config import LmsConfig
from ananke.demo.lms.keys import SigningKey, load_cookie_secret
from ananke.demo.lms.platform import Platform
from ananke.demo.lms.service_requests import service_endpoint
from ananke.demo.lms.store import Store
from ananke.demo.lms.tool_keys import ToolKeys

MAX_BODY_BYTES = 1024 * 1024


def create_app(config: LmsConfig) -> Flask:
    """Make the LMS. Its state directory is made if missing, and filled at the first start."""
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(config.state_dir / "lms.sqlite")
    with store.write_session() as session:
        sample_data.add_sample_data(session)
    app = Flask(__name__)
    app.extensions["lms"] = Platform(
        config=config,
        store=store,
        key=SigningKey.load_or_create(config.state_dir),
        behaviour=Behaviour(config.profile),
        tool_keys=ToolKeys(config.registration.keyset_url),
    )
    app.config.update(
        SECRET_KEY=load_cookie_secret(config.state_dir),
        # Cookies ignore ports: the hub on the same host must use another name.
        SESSION_COOKIE_NAME="linden-session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.url.startswith("https:"),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
    )
    errors.register_error_handlers(app)
    request_checks.register_request_checks(app, config)
    modules = (
        *(oidc, lineitems, scores, nrps, api, pages),
        *(manage_courses, manage_grades, manage_behaviour),
    )
    for module in modules:
        app.register_blueprint(module.blueprint)
    app.add_url_rule(
        "/lti/token", "token", service_endpoint("token")(tokens.issue_token), methods=["POST"]
    )
    app.wsgi_app = BreakingConnections(app.wsgi_app)  # type: ignore[method-assign]
    return app
