"""Refused launches: what the log records, and what the page and the log line share."""

from __future__ import annotations

import secrets

from kore.hub.reasons import Reason


class Refusal(Exception):
    """A launch that ends on a page.

    ``detail`` is one line for the log. ``sub``, ``return_url`` and ``lms_message`` are set only
    when they are known to come from the LMS (``sub``, ``return_url``: verified) or at least to
    belong to a login that this browser started (``lms_message``).
    """

    def __init__(self, reason: Reason, detail: str = "", *, lms_message: str = "") -> None:
        super().__init__(detail or reason.name.lower())
        self.reason = reason
        self.detail = detail
        self.lms_message = lms_message
        self.sub = ""
        self.return_url: str | None = None
        self.home_url = ""

    def log_line(self, reference: str) -> str:
        """Return the line for the log."""
        line = f"Launch refused [{reference}] {self.reason.name.lower()}"
        if self.detail:
            line += f": {self.detail}"
        return f"{line} (sub {quote_untrusted(self.sub)})" if self.sub else line


def new_reference() -> str:
    """Return a new reference for a page and its log line, short enough to say on the phone."""
    digits = secrets.token_hex(4).upper()
    return f"{digits[:4]}-{digits[4:]}"


def quote_untrusted(value: object, limit: int = 100) -> str:
    """Return untrusted text for the log: quoted, on one line, in ASCII, shortened."""
    text = value if isinstance(value, str) else repr(value)
    return ascii(text if len(text) <= limit else f"{text[:limit]}...")
