"""Renders the pages that a person sees instead of a launch.

They contain their own styles and need neither a template path in the hub's configuration nor its
scripts, so they work when the rest of the hub does not.
"""

from __future__ import annotations

import secrets

from jinja2 import Environment, PackageLoader, StrictUndefined

from kore.hub.reasons import OPEN_ACTIVITY, PageText

_templates = Environment(
    loader=PackageLoader("kore.hub"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


SIGN_IN = PageText(
    200,
    "Open Jupyter from your course",
    "You are not signed in. Your learning management system (LMS) signs you in.",
    (
        OPEN_ACTIVITY,
        "If you were working here before, your session has ended. Your files are still there.",
    ),
)
"""The hub's sign-in page."""


def render_page(
    text: PageText, *, reference: str = "", back: str = "", lms_message: str = ""
) -> tuple[str, str]:
    """Return a page and the Content-Security-Policy directives for it.

    ``back`` is an http(s) URL in the LMS, ``lms_message`` text from the LMS.
    """
    nonce = secrets.token_urlsafe(16)
    page = _templates.get_template("message.html").render(
        text=text, reference=reference, back=back, lms_message=lms_message, nonce=nonce
    )
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"
    return page, policy
