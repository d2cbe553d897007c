"""Reading the JSON objects of the demo's control endpoints, with words for what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from ananke.demo.lms.errors import PageError

MAX_TEXT = 5000
Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    """Accept a text that is not empty."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def text_or_empty(value: Any) -> bool:
    """Accept a text."""
    return isinstance(value, str) and len(value) <= MAX_TEXT


def slug(value: Any) -> bool:
    """Accept a short name for URLs."""
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", value) is not None


def flag(value: Any) -> bool:
    """Accept true and false."""
    return isinstance(value, bool)


def whole(value: Any) -> bool:
    """Accept a whole number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def positive(value: Any) -> bool:
    """Accept a number above 0."""
    return number_or_null(value) and value is not None and value > 0


def number_or_null(value: Any) -> bool:
    """Accept a finite number or null."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def texts_or_null(value: Any) -> bool:
    """Accept a list of texts, or null."""
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def mapping(value: Any) -> bool:
    """Accept an object of texts."""
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def one_of(*allowed: str) -> Check:
    """Accept one of some texts."""
    return lambda value: isinstance(value, str) and value in allowed


def read(checks: Mapping[str, Check], *required: str) -> dict[str, Any]:
    """Read the request's JSON object; 400 with the name of the first wrong field."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise PageError(400, "Send a JSON object.")
    for name in required:
        if name not in body:
            raise PageError(400, f"{name} is missing.")
    for name, value in body.items():
        if name not in checks:
            raise PageError(400, f"{name[:80]} is unknown; there are: {', '.join(checks)}.")
        if not checks[name](value):
            raise PageError(400, f"{name} has a value that does not fit.")
    return body
