"""Kore with everything real but the hub: its application, database, jobs and gradebooks.

The stand-in for the hub lies below ``HubApi`` and below the hub's answer to a token, so
sessions, CSRF proofs and guards are Kore's own.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from flask import Flask, redirect, request, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from markupsafe import escape
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from kore.service.app import create_app
from kore.service.courses.launches import record_launch
from kore.service.db.engine import Database, open_database
from kore.service.hubapi import HubApi
from kore.service.job_kinds import HANDLERS
from kore.service.jobs import Runner
from kore.service.services import Services, open_services
from kore.service.settings import Settings
from kore.shared.lti.claims import Launch
from kore.shared.lti.identity import derive_user_name
from tests.support.fake_hub import FakeHub

PREFIX = "/services/kore"
ISSUER, CLIENT = "https://lms.example", "kore-client"
_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
AGS_SCOPES = [_SCOPE + "lineitem", _SCOPE + "score", _SCOPE + "result.readonly"]
_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

Via = Literal["session", "token"]


class _FakeOAuth:
    """The hub's answer to tokens: those that ``Harness.token_for`` gave out."""

    oauth_client_id = "service-kore"
    oauth_redirect_uri = f"{PREFIX}/oauth_callback"
    oauth_authorization_url = "/hub/api/oauth2/authorize"
    access_scopes = frozenset({"access:services!service=kore"})

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, str] = {}

    def user_for_token(self, token: str, *, session_id: str = "") -> dict[str, Any] | None:  # noqa: ARG002
        return self.models.get(token)

    def check_scopes(self, wanted: Iterable[str], model: dict[str, Any]) -> set[str]:
        return set(wanted) & set(model["scopes"])

    def token_for_code(self, code: str) -> str:
        return self.codes.pop(code)


@dataclass
class Client:
    """Requests of one caller, with paths as ``openapi.json`` has them.

    With ``proof`` every request carries what the script of a page sends: the CSRF token.
    """

    http: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def open(self, path: str, *, method: str = "GET", **options: Any) -> Any:
        """Send a request; ``options`` are those of werkzeug's test client."""
        headers = {**self.headers, **dict(options.pop("headers", {}))}
        return self.http.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """Send a GET."""
        return self.open(path, **options)

    def page(self, path: str) -> Any:
        """Send the GET of a browser that opens a page."""
        return self.open(path, headers={"Accept": "text/html"})

    def post(self, path: str, **options: Any) -> Any:
        """Send a POST."""
        return self.open(path, method="POST", **options)


@dataclass
class Harness:
    """A Kore of its own, its hub and its database."""

    app: Flask
    services: Services
    runner: Runner
    hub: FakeHub
    oauth: _FakeOAuth
    #: Whom the hub still knows when a browser of ``serving`` comes to it for a sign-in.
    known_to_hub: str | None = None

    @property
    def db(self) -> Database:
        """Kore's database."""
        return self.services.db

    def token_for(self, name: str, *, kind: str = "user", scopes: Iterable[str] = ()) -> str:
        """Give out a hub token; without ``scopes`` one that may call Kore."""
        token = secrets.token_hex(16)
        granted = set(scopes) or set(_FakeOAuth.access_scopes)
        self.oauth.models[token] = {"kind": kind, "name": name, "scopes": granted}
        return token

    def client_for(
        self, name: str | None, *, via: Via = "session", kind: str = "user", proof: bool = True
    ) -> Client:
        """Return a client that is signed in as someone; as nobody for None.

        A session sends its CSRF proof along unless ``proof`` is False; a token needs none.
        """
        http = self.app.test_client()
        if name is None:
            return Client(http)
        token = self.token_for(name, kind=kind)
        if via == "token":
            return Client(http, {"Authorization": f"token {token}"})
        with self.app.test_request_context():
            signed, raw = generate_csrf(), session["csrf_token"]
        with http.session_transaction() as mine:
            mine["token"], mine["csrf_token"] = token, raw
        return Client(http, {"X-CSRFToken": signed} if proof else {})

    def cookie_for(self, name: str) -> dict[str, Any]:
        """Return a session's cookie in the form that Playwright takes, but for its URL."""
        http = self.client_for(name).http
        cookie = http.get_cookie("kore-session", path=PREFIX + "/")
        assert cookie is not None
        return {"name": cookie.key, "value": cookie.value, "path": PREFIX + "/"}

    def launch(
        self,
        sub: str,
        role: str = "Learner",
        *,
        name: str = "",
        activity: str = "Homework",
        context: str = "Algebra I",
        link: str = "link-1",
        grades: bool = True,
        claims: dict[str, Any] | None = None,
    ) -> tuple[str, str]:
        """Let a person launch an activity, as the hub tells it; return course and user.

        ``claims`` come on top of those that the other arguments make. Call ``work`` to
        have the course set up.
        """
        told: dict[str, Any] = {
            "iss": ISSUER,
            "sub": sub,
            "name": name,
            "given_name": name.partition(" ")[0],
            "family_name": name.partition(" ")[2],
            _LTI + "message_type": "LtiResourceLinkRequest",
            _LTI + "version": "1.3.0",
            _LTI + "deployment_id": "1",
            _LTI + "resource_link": {"id": link, "title": activity},
            _LTI + "context": {"id": "context", "title": context},
            _LTI + "roles": [_ROLES + role],
            _LTI + "launch_presentation": {"return_url": f"{ISSUER}/activity/{link}"},
        }
        if grades:
            told["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"] = {
                "scope": AGS_SCOPES,
                "lineitems": f"{ISSUER}/lineitems",
                "lineitem": f"{ISSUER}/lineitems/{link}",
            }
        launch = Launch.from_claims({**told, **(claims or {})}, client_id=CLIENT)
        user = derive_user_name(sub, ISSUER)
        self.hub.users.add(user)
        recorded = record_launch(self.db, user, launch, token_url=f"{ISSUER}/token")
        return recorded.course_id, user

    def source(self, course: str, assignment: str, **problems: dict[str, Any]) -> Path:
        """Write an assignment of a course as its teacher does: notebooks by name."""
        folder = self.services.host.course_root(course) / "source" / assignment
        folder.mkdir(parents=True, exist_ok=True)
        for name, notebook in problems.items():
            (folder / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
        return folder

    def make_admin(self, name: str) -> None:
        """Make someone an admin of the hub."""
        self.hub.users.add(name)
        self.hub.admins.add(name)

    def work(self) -> None:
        """Do every job that waits, here and now."""
        while (job := self.runner._claim()) is not None:
            self.runner._run(job)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve at a free port of this machine; yield the URL of the service.

        Beside it lie the hub's pages that Kore sends browsers to, each a line of text.
        """
        site = DispatcherMiddleware(self._hub_pages().wsgi_app, {PREFIX: self.app.wsgi_app})
        server = make_server("127.0.0.1", 0, site, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _hub_pages(self) -> Flask:
        pages = Flask("hub")

        @pages.get("/hub/api/oauth2/authorize")
        def authorize() -> Any:
            if self.known_to_hub is None:
                return redirect("/hub/login")
            code = secrets.token_hex(8)
            self.oauth.codes[code] = self.token_for(self.known_to_hub)
            state = request.args["state"]
            return redirect(f"{PREFIX}/oauth_callback?code={code}&state={state}")

        @pages.get("/<path:path>")
        def page(path: str) -> str:
            return f"<!doctype html><title>The hub</title><p>This is /{escape(path)}"

        return pages


@cache
def _empty_database() -> bytes:
    """Return a migrated database without rows; to migrate each Kore's own costs most of a test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kore.sqlite"
        open_database(f"sqlite:///{file}").close()
        return file.read_bytes()


@contextmanager
def make_kore(folder: Path, *, database_url: str = "") -> Iterator[Harness]:
    """Make a Kore whose state lies in a folder; close it at the end."""
    state_dir = folder / "kore"
    settings = Settings(
        state_dir=state_dir,
        homes=folder / "homes",
        exchange=folder / "exchange",
        database_url=database_url or f"sqlite:///{state_dir / 'kore.sqlite'}",
        listen="http://127.0.0.1:0",
        prefix=PREFIX,
        base_url="/",
        api_url="http://hub.invalid/hub/api",
        api_token="no-token",
        threads=8,
        job_threads=1,
        platform_requests=4,
    )
    if not database_url and not (state_dir / "kore.sqlite").exists():
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (state_dir / "kore.sqlite").write_bytes(_empty_database())
    hub = FakeHub()
    services = replace(open_services(settings), hub=cast(HubApi, hub))
    runner = Runner(services, HANDLERS, threads=1)
    app = create_app(services, runner)
    app.config["APPLICATION_ROOT"] = PREFIX
    oauth = _FakeOAuth()
    app.extensions["kore-callers"]._hub = oauth
    try:
        yield Harness(app=app, services=services, runner=runner, hub=hub, oauth=oauth)
    finally:
        services.db.close()
