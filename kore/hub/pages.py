"""The pages that a person sees instead of a launch.

Rendered on their own, with their style inside: they need neither a template path in the
hub's configuration nor its scripts, and they work when the rest does not.
"""

from __future__ import annotations

import secrets

from jinja2 import Environment, PackageLoader, StrictUndefined

from kore.hub.refusals import Words

_templates = Environment(
    loader=PackageLoader("kore.hub"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(
    words: Words, *, reference: str = "", back: str = "", lms_words: str = ""
) -> tuple[str, str]:
    """Return a page and the Content-Security-Policy directives that fit it.

    ``back`` is an http(s) URL in the LMS, ``lms_words`` what the LMS said: text.
    """
    nonce = secrets.token_urlsafe(16)
    page = _templates.get_template("message.html").render(
        words=words, reference=reference, back=back, lms_words=lms_words, nonce=nonce
    )
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'"
    return page, policy
