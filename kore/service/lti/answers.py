"""Answers of an LMS: what it says in them, and whether to ask again."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kore.shared.lti.claims import clean_text
from kore.shared.messages import Message, message

_MAX_SAID = 300
# Overload and gateways: the same request may succeed a little later.
_OVERLOAD = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


@dataclass(frozen=True)
class Answer:
    """What an LMS answered in the end.

    ``uncertain`` says that an earlier try of the same request was lost on the way, so that
    the LMS may have carried it out already.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    uncertain: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def json(self) -> Any:
        """Return the body as JSON, None where it is not: labels and errors lie."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def said(self) -> str:
        """The LMS's own words: reason phrase and error message, on one line."""
        parts = (_decode_reason(self.reason), _find_error_text(self.json()))
        return " ".join(part for part in parts if part)[:_MAX_SAID]

    @property
    def is_throttled(self) -> bool:
        """Whether the LMS asks to slow down: 429, or the 403 that Canvas sends for it."""
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        if self.status != HTTPStatus.FORBIDDEN:
            return False
        text = f"{self.reason} {self.body[:1000].decode('utf-8', 'replace')}".lower()
        return "rate limit" in text or "Retry-After" in self.headers

    @property
    def retry_after(self) -> float | None:
        """The seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3), if any."""
        text = (self.headers.get("Retry-After") or "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = email.utils.parsedate_to_datetime(text)
            return max(0.0, moment.timestamp() - time.time())
        except (ValueError, OverflowError):
            return None

    def describe_transient_fault(self) -> Message | None:
        """Return what is wrong where the same request may succeed later; None otherwise."""
        if self.is_throttled:
            return message("lms.throttled")
        if self.status in _OVERLOAD:
            return message("lms.overloaded", status=self.status)
        if self.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return message("lms.failed", status=self.status)
        return None


def _decode_reason(reason: str) -> str:
    # http.client reads status lines as Latin-1; an LMS writes UTF-8.
    try:
        return clean_text(reason.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        return clean_text(reason)


def _find_error_text(body: Any) -> str:
    """Return the message in an error's JSON, in any of the usual forms."""
    if isinstance(body, str):
        return clean_text(body)
    if isinstance(body, list):
        return _find_error_text(body[0]) if body else ""
    if isinstance(body, dict):
        for key in ("error_description", "message", "errors", "error", "detail", "title"):
            if text := _find_error_text(body.get(key)):
                return text
    return ""
