"""An LMS for tests: it signs whatever a test wants, and publishes its keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
CLIENT_ID, DEPLOYMENT = "tool-1", "7"
GONE = "(omitted)"


class Key:
    """An RSA key pair with an id."""

    def __init__(self, kid: str, bits: int = 2048) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def jwk(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**public, "kid": self.kid, "alg": "RS256", "use": "sig"}

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class FakeLms:
    """Serves ``/jwks`` after ``delay`` seconds; while ``answers`` is cleared, requests wait.

    For real browsers: ``/launch?sub=X`` starts a login at the hub ``tool``, ``/auth`` says
    that it is X. With ``host``, another name of this machine, it is another site.
    """

    tool = ""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.key = Key("key-1")
        self.published = [self.key]
        self.requests = 0
        self.delay = 0.0
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Event()
        lms = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                page = {"/launch": lms.launch_page, "/auth": lms.auth_page}.get(url.path)
                body = page(asked) if page else lms.key_set()
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if page else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://{host}:{self._server.server_port}"

    def key_set(self) -> bytes:
        self.requests += 1
        self.asked.set()
        self.answers.wait(30)
        time.sleep(self.delay)
        return json.dumps({"keys": [key.jwk() for key in self.published]}).encode()

    def launch_page(self, asked: dict[str, str]) -> bytes:
        fields = {
            "iss": self.url,
            "client_id": CLIENT_ID,
            "login_hint": asked["sub"],
            "target_link_uri": f"{self.tool}/hub",
        }
        return auto_post_page(f"{self.tool}/hub/lti13/oauth_login", fields)

    def auth_page(self, asked: dict[str, str]) -> bytes:
        token = self.sign(self.claims(asked["nonce"], sub=asked["login_hint"]))
        return auto_post_page(asked["redirect_uri"], {"state": asked["state"], "id_token": token})

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/jwks"

    def claims(self, nonce: str, /, **changes: Any) -> dict[str, Any]:
        """Return the claims of a learner's launch, as Moodle sends them.

        ``changes`` are by claim, without the LTI prefix; ``GONE`` omits a claim.
        """
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "123",
            "nonce": nonce,
            "iat": now,
            "exp": now + 60,
            "name": "Ada Example",
            "email": "ada@example.org",
            LTI + "version": "1.3.0",
            LTI + "message_type": "LtiResourceLinkRequest",
            LTI + "deployment_id": DEPLOYMENT,
            LTI + "target_link_uri": "http://127.0.0.1/hub",
            LTI + "roles": [f"{MEMBERSHIP}#Learner"],
            LTI + "resource_link": {"id": "5", "title": "Exercise 1"},
            LTI + "context": {"id": "2", "label": "phys", "title": "Physics"},
            LTI + "launch_presentation": {"return_url": f"{self.url}/course/2"},
        }
        for name, value in changes.items():
            key = name if name in claims or LTI + name not in claims else LTI + name
            if value is GONE:
                claims.pop(key, None)
            else:
                claims[key] = value
        return claims

    def sign(self, claims: dict[str, Any], *, key: Key | None = None, **header: Any) -> str:
        key = key or self.key
        return jwt.encode(claims, key.private, "RS256", headers={"kid": key.kid, **header})

    def close(self) -> None:
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()


def unsigned(claims: dict[str, Any], kid: str) -> str:
    """Return a token with ``alg`` none."""
    return jwt.encode(claims, None, "none", headers={"kid": kid})  # type: ignore[arg-type]


def signed_with_public_key(claims: dict[str, Any], key: Key) -> str:
    """Return a token whose HS256 secret is the LMS's public key, which everyone has."""
    header = {"alg": "HS256", "kid": key.kid, "typ": "JWT"}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    mac = hmac.new(key.public_pem(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64url(mac)}"


def auto_post_page(url: str, fields: dict[str, str]) -> bytes:
    """Return a page with a form that posts itself."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    form = f'<form method="post" action="{escape(url)}">{inputs}</form>'
    return f"<!doctype html>{form}<script>document.forms[0].submit()</script>".encode()


def base64url(data: bytes) -> str:
    """Return bytes as one part of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
