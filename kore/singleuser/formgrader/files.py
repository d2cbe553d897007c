"""Serves a course's files for the browser to show, without running their scripts."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.nbconvert import handlers as nbconvert
from jupyter_server.utils import url_path_join

from kore.singleuser.formgrader import policy


class _Sandboxed:
    """Runs no scripts of files. Jupyter's own policy runs them in an origin of their own."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.SANDBOX


class SandboxedFiles(_Sandboxed, AuthenticatedFileHandler):  # type: ignore[misc]
    """Serves ``/files/``, with students' HTML and SVG."""


class SandboxedConversion(_Sandboxed, nbconvert.NbconvertFileHandler):  # type: ignore[misc]
    """Serves ``/nbconvert/``, converted notebooks."""


def sandbox_conversions(web_app: Any) -> None:
    """Let a Jupyter server show converted notebooks without their scripts."""
    base_url = web_app.settings["base_url"]
    web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base_url, pattern), SandboxedConversion)
            for pattern, handler in nbconvert.default_handlers
            if handler is nbconvert.NbconvertFileHandler
        ],
    )
