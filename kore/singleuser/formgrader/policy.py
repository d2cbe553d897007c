"""Content-Security-Policies that name a page's own scripts by nonce (W3C CSP Level 3).

The pages' templates contain nothing by students, so each script element *in a template* gets the
nonce before values are filled in. A script in a value does not have it, and the browser ignores
it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment
from jinja2.ext import Extension

_nonce: ContextVar[str] = ContextVar("nonce")
_SCRIPT = re.compile(r"<script\b")
# A value inside a script's quoted string could end it; as JSON it cannot.
_QUOTED = re.compile(r'(?<== )"\{\{\s*([A-Za-z_.]+)\s*\}\}"(?=;)')
_ATTRIBUTE = re.compile(r"\son[a-z]+=\"([^\"{}]*)\"", re.IGNORECASE)
_NOWHERE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

SANDBOX = f"{_NOWHERE}; sandbox; img-src 'self' data:; style-src 'unsafe-inline'; media-src 'self'"
"""For files: shown without scripts, in an origin of their own."""

DATA = f"{_NOWHERE}; sandbox"
"""For answers to scripts, which nobody should open as a page."""


def new_nonce() -> str:
    """Return a new nonce, which ``csp_nonce()`` in the page's templates returns as well."""
    nonce = secrets.token_urlsafe(18)
    _nonce.set(nonce)
    return nonce


class TemplateMarker(Extension):
    """Adds the nonce to scripts in templates, and quotes values within them."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["csp_nonce"] = _nonce.get

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Return a template's source with nonces. Jinja calls it once for each template."""
        marked = _SCRIPT.sub('<script nonce="{{ csp_nonce() }}"', source)
        return _QUOTED.sub(r"{{ \1 | tojson }}", marked)


def page_policy(
    nonce: str, *, mathjax_url: str, handlers: Iterable[str] = (), calls: bool = True
) -> str:
    """Return the policy of a page whose templates have the nonce.

    ``handlers`` are hashes of event handlers that templates have in attributes. With
    ``calls`` its scripts may call their own server. Fonts may come from MathJax's origin.
    """
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(mathjax_url))
    hashes = " ".join(handlers)
    callable_from = "'self'" if calls else "'none'"
    allowed = f"'nonce-{nonce}' 'strict-dynamic'"
    if hashes:
        allowed += f" 'unsafe-hashes' {hashes}"
    return "; ".join(
        [
            "default-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
            f"script-src {allowed}",
            f"connect-src {callable_from}",
            # MathJax writes styles.
            "style-src 'self' 'unsafe-inline'",
            f"font-src 'self' data: {origin}",
            "img-src 'self' data:",
        ]
    )


def handler_hashes(folder: Path) -> list[str]:
    """Return the hashes of all event handlers in the attributes of a folder's templates."""
    sources = [path.read_text("utf-8") for path in sorted(folder.rglob("*.tpl"))]
    sources += [path.read_text("utf-8") for path in sorted(folder.rglob("*.j2"))]
    found = {code for source in sources for code in _ATTRIBUTE.findall(source)}
    return [_hash(code) for code in sorted(found)]


def _hash(code: str) -> str:
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def mark_templates(environment: Environment) -> None:
    """Let an environment add the nonce to the scripts of its templates."""
    environment.add_extension(TemplateMarker)
