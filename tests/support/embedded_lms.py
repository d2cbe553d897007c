"""The embedded LMS inside the test's process, and a tool that talks to it without a hub.

    with running_lms(tmp_path, profile="canvas") as lms:
        session = lms.tool.session(lms)

A tool's key set must be known before the LMS starts, so `running_lms` takes either the `tool_url`
of a real hub or nothing: then `lms.tool` is a `FakeTool` whose key set is served.
"""

from __future__ import annotations

import functools
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from flask import Flask, Response, json, redirect, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ananke.demo.lms import LmsConfig, create_app
from ananke.demo.lms.claims import make_launch_claims
from ananke.demo.lms.config import ALL_SCOPES
from ananke.demo.lms.keys import SigningKey
from ananke.demo.lms.platform import Platform
from ananke.demo.lms.store import Store, find_activity, find_user

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_ACTION = re.compile(r'<form name="post" method="post" action="([^"]*)">')


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two writes: without this the second waits for the first one's receipt.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """Serve a WSGI app with threads and keep-alive on a free port; yield its URL."""
    server: BaseWSGIServer = make_server(
        "127.0.0.1", port, app, threaded=True, request_handler=_Handler
    )
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@functools.cache
def _tool_key() -> SigningKey:
    """Return one key for all tools of a test run: making a key takes longer than most tests."""
    return SigningKey.generate()


@functools.cache
def _platform_pem() -> bytes:
    """Return one key for all platforms of a test run."""
    return SigningKey.generate().private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class FakeTool:
    """A tool with a key: serves its key set, signs client assertions, asks for tokens.

    `requests` counts fetches of the key set; `delay` (seconds) and `status` spoil its answer.
    Its login asks the LMS as a good tool does; `launches` collects what came to its callback.
    """

    def __init__(self) -> None:
        self.key = _tool_key()
        self.url = ""
        self.requests = 0
        self.status = 200
        self.delay = 0.0
        self.launches: list[dict[str, str]] = []
        self.app = Flask("fake-tool")
        self.app.add_url_rule("/services/kore/jwks", "jwks", self._jwks)
        login = "/hub/lti13/oauth_login"
        self.app.add_url_rule(login, "login", self._login, methods=["GET", "POST"])
        callback = "/hub/lti13/oauth_callback"
        self.app.add_url_rule(callback, "callback", self._callback, methods=["POST"])
        self.app.add_url_rule("/hub/inside", "inside", lambda: "<h1>Inside the tool</h1>")

    def _jwks(self) -> Response:
        self.requests += 1
        time.sleep(self.delay)
        return Response(
            json.dumps(self.key.jwks()), status=self.status, content_type="application/json"
        )

    def _login(self) -> Any:
        given = request.values
        fields = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": given["client_id"],
            "redirect_uri": f"{self.url}/hub/lti13/oauth_callback",
            "login_hint": given["login_hint"],
            "lti_message_hint": given["lti_message_hint"],
            "nonce": uuid.uuid4().hex,
            "state": uuid.uuid4().hex,
        }
        return redirect(f"{given['iss']}/lti/auth?{urlencode(fields)}")

    def _callback(self) -> Any:
        self.launches.append(request.form.to_dict())
        return redirect("/hub/inside")

    def claims(self, lms: RunningLms, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid client assertion; a change to None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": lms.config.client_id,
            "sub": lms.config.client_id,
            "aud": lms.config.token_url,
            "iat": now - 5,
            "exp": now + 60,
            "jti": uuid.uuid4().hex,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def ask(self, lms: RunningLms, assertion: str | None = None, **form: str) -> requests.Response:
        """Request a token, by default for all scopes."""
        data = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.key.sign(self.claims(lms)),
            "scope": " ".join(ALL_SCOPES),
            **form,
        }
        return requests.post(lms.config.token_url, data=data, timeout=10)

    def token(self, lms: RunningLms, *scopes: str) -> str:
        """Return a token for `scopes`, by default all."""
        answer = self.ask(lms, scope=" ".join(scopes or ALL_SCOPES))
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert isinstance(token, str)
        return token

    def session(self, lms: RunningLms, *scopes: str) -> requests.Session:
        """Return a session that sends a token."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token(lms, *scopes)}"
        return session


@dataclass
class Form:
    """The form of a page that submits itself."""

    action: str
    fields: dict[str, str]


def read_form(page: str) -> Form:
    """Return the form of a page of the LMS that submits itself."""
    action = _ACTION.search(page)
    assert action is not None, page
    fields = {unescape(name): unescape(value) for name, value in _INPUT.findall(page)}
    return Form(unescape(action[1]), fields)


@dataclass
class RunningLms:
    """A running LMS: its URL, its parts, and what tests do with it."""

    url: str
    app: Flask
    config: LmsConfig
    tool: FakeTool
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def platform(self) -> Platform:
        """The parts of the LMS."""
        found = self.app.extensions["lms"]
        assert isinstance(found, Platform)
        return found

    @property
    def store(self) -> Store:
        """The database."""
        return self.platform.store

    @property
    def key(self) -> SigningKey:
        """The key that signs id_tokens."""
        return self.platform.key

    def api(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """Call the management API below /api/; fail unless it succeeds (or answers `status`)."""
        answer = self.http.request(method, f"{self.url}/api/{path}", json=body, timeout=10)
        expected = [status] if status else [200, 201, 204]
        assert answer.status_code in expected, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def behave(self, **settings: Any) -> None:
        """Change the behaviour."""
        self.api("PUT", "behaviour", settings)

    def gradebook(self, course: str) -> list[dict[str, Any]]:
        """Return the line items of a course with their grades."""
        columns = self.api("GET", f"gradebook?course={course}")["line_items"]
        assert isinstance(columns, list)
        return columns

    def points(self, course: str, column: int = 0) -> dict[str, float | None]:
        """Return points by user slug in one line item of a course."""
        grades = self.gradebook(course)[column]["grades"]
        return {grade["user"]: grade["points"] for grade in grades}

    def service_requests(self, service: str = "") -> list[dict[str, Any]]:
        """Return the logged service requests, of one service or all."""
        seen = self.platform.behaviour.list_requests()
        return [entry for entry in seen if service in ("", entry["service"])]

    def claims(self, user: str, activity: str, nonce: str = "n", **changes: Any) -> dict[str, Any]:
        """Return the claims of a launch with changes; None leaves a claim out."""
        with self.app.app_context(), self.store.read_session() as db:
            person, link = find_user(db, user), find_activity(db, activity)
            assert person is not None
            assert link is not None
            claims = make_launch_claims(self.platform, db, person, link, nonce)
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """Return an id_token with any claims, signed by the LMS."""
        return self.key.sign(claims, headers)

    def sign_with(self, claims: dict[str, Any], key: Any, algorithm: str, **headers: Any) -> str:
        """Return an id_token with any key and algorithm (`none`, HS256, an unknown key ...)."""
        return jwt.encode(
            claims, key, algorithm=algorithm, headers={"kid": self.key.kid, **headers}
        )

    def begin(self, browser: requests.Session, user: str, activity: str) -> Form:
        """Begin a launch in a browser; return the initiation form."""
        answer = browser.get(
            f"{self.url}/launch", params={"user": user, "activity": activity}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return read_form(answer.text)

    def authenticate(
        self, browser: requests.Session, begun: Form, **changes: str | None
    ) -> requests.Response:
        """Send a valid authentication request with changes; None leaves a field out."""
        fields: dict[str, str | None] = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": begun.fields["client_id"],
            "redirect_uri": self.config.registration.redirect_uris[0],
            "login_hint": begun.fields["login_hint"],
            "lti_message_hint": begun.fields["lti_message_hint"],
            "nonce": "nonce-1",
            "state": "state-1",
            **changes,
        }
        sent = {name: value for name, value in fields.items() if value is not None}
        return browser.get(self.config.authorize_url, params=sent, timeout=10)


@contextmanager
def running_lms(
    tmp_path: Path, profile: str = "moodle", tool_url: str = "", port: int = 0
) -> Iterator[RunningLms]:
    """Run the LMS with its state below `tmp_path`; without `tool_url` it knows a FakeTool."""
    tool = FakeTool()
    late = _LateApp()
    with serving(tool.app) as fake_url, serving(late, port) as url:
        tool.url = fake_url
        config = LmsConfig(
            url=url, tool_url=tool_url or fake_url, state_dir=tmp_path / "lms", profile=profile
        )
        config.state_dir.mkdir(exist_ok=True)
        key_file = config.state_dir / "platform-key.pem"
        if not key_file.exists():
            key_file.write_bytes(_platform_pem())
        app = create_app(config)
        late.app = app
        lms = RunningLms(url=url, app=app, config=config, tool=tool)
        try:
            yield lms
        finally:
            lms.http.close()
            lms.store.close()


class _LateApp:
    """A WSGI app that is made after its URL is known."""

    app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


def port_of(url: str) -> int:
    """Return the port of a URL."""
    port = urlsplit(url).port
    assert port is not None
    return port


def keys_fetched(url: str) -> dict[str, Any]:
    """Return the public keys of a platform, by kid."""
    keys = requests.get(f"{url}/lti/jwks", timeout=10).json()["keys"]
    return {key["kid"]: jwt.PyJWK(key).key for key in keys}
