"""A course's files as they are: shown by the browser, but without any script of theirs."""

from __future__ import annotations

from typing import Any

from jupyter_server.base.handlers import AuthenticatedFileHandler
from jupyter_server.nbconvert import handlers as nbconvert
from jupyter_server.utils import url_path_join

from kore.singleuser.formgrader import policy


class _Sandboxed:
    """Jupyter's own policy lets scripts of files run, in an origin of their own. This does not."""

    @property
    def content_security_policy(self) -> str:
        """The policy of each answer."""
        return policy.SANDBOX


class SandboxedFiles(_Sandboxed, AuthenticatedFileHandler):  # type: ignore[misc]
    """What is below ``/files/``: a student's HTML and SVG, too."""


class SandboxedConversion(_Sandboxed, nbconvert.NbconvertFileHandler):  # type: ignore[misc]
    """What ``/nbconvert/`` makes of a notebook."""


def shield(web_app: Any) -> None:
    """Have a Jupyter server convert notebooks without their scripts."""
    base_url = web_app.settings["base_url"]
    web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base_url, pattern), SandboxedConversion)
            for pattern, handler in nbconvert.default_handlers
            if handler is nbconvert.NbconvertFileHandler
        ],
    )
