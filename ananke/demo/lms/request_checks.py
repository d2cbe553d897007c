"""Checks of every request: only this machine's browsers and programs may use this LMS.

There is no sign-in, so pages of other sites must not be able to act here.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ananke.demo.lms.config import LmsConfig, get_origin
from ananke.demo.lms.errors import PageError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CROSS_SITES = ("cross-site", "same-site")


def register_request_checks(app: Flask, config: LmsConfig) -> None:
    """Check the host of each request and the origin of changes, and set security headers."""
    origin, own = get_origin(config.url), urlsplit(config.url).netloc
    port = urlsplit(config.url).port or (443 if config.url.startswith("https") else 80)
    hosts = {own, *(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))}
    tool = get_origin(config.tool_url)
    policy = "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action 'self' {tool}",
        )
    )

    @app.before_request
    def check() -> AnyResponse | None:
        if request.host not in hosts:
            raise PageError(421, f"This LMS only answers at {config.url}.")
        if request.path.startswith("/api/") and request.method not in SAFE_METHODS:
            _check_origin(origin)
        elif request.method == "GET" and request.host != own and _is_page(request.path):
            # The session cookie belongs to one host name; the tool will return to this one.
            return redirect(f"{origin}{request.full_path.rstrip('?')}")
        return None

    @app.after_request
    def protect(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        return answer


def _is_page(path: str) -> bool:
    return not path.startswith(("/api/", "/lti/", "/static/"))


def _check_origin(origin: str) -> None:
    """Refuse what a page of another site could send without a preflight request."""
    if request.headers.get("Origin", origin) != origin:
        raise PageError(403, "Other sites must not change this LMS.")
    if request.headers.get("Sec-Fetch-Site") in CROSS_SITES:
        raise PageError(403, "Other sites must not change this LMS.")
    if request.method != "DELETE" and request.mimetype != "application/json":
        raise PageError(415, "Send JSON, as application/json.")
