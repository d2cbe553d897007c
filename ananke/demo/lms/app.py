"""The LMS as a WSGI application."""

from __future__ import annotations

from flask import Flask

from ananke.demo.lms import (
    api,
    control,
    errors,
    fixtures,
    guard,
    lineitems,
    nrps,
    oidc,
    pages,
    scores,
    tokens,
)
from ananke.demo.lms.behaviour import Behaviour
from ananke.demo.lms.config import LmsConfig
from ananke.demo.lms.keys import SigningKey, cookie_secret
from ananke.demo.lms.platform import Platform
from ananke.demo.lms.sockets import BreakingConnections
from ananke.demo.lms.store import Store
from ananke.demo.lms.toolkeys import ToolKeys
from ananke.demo.lms.wire import service

MAX_BODY_BYTES = 1024 * 1024


def create_app(config: LmsConfig) -> Flask:
    """Make the LMS; its state directory is made if need be, and filled at the first start."""
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(config.state_dir / "lms.sqlite")
    with store.writing() as session:
        fixtures.plant(session)
    app = Flask(__name__)
    app.extensions["lms"] = Platform(
        config=config,
        store=store,
        key=SigningKey.kept_in(config.state_dir),
        behaviour=Behaviour(config.manner),
        tool_keys=ToolKeys(config.registration.keyset_url),
    )
    app.config.update(
        SECRET_KEY=cookie_secret(config.state_dir),
        # Cookies do not tell ports apart: the hub on the same host must not share the name.
        SESSION_COOKIE_NAME="linden-session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.url.startswith("https:"),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
    )
    errors.install(app)
    guard.install(app, config)
    parts = (oidc, lineitems, scores, nrps, api, control, pages)
    for part in parts:
        app.register_blueprint(part.blueprint)
    app.add_url_rule("/lti/token", "token", service("token")(tokens.grant), methods=["POST"])
    app.wsgi_app = BreakingConnections(app.wsgi_app)  # type: ignore[method-assign]
    return app
