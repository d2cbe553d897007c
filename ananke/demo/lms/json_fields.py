"""Reading the JSON objects of the management API, with a message for each mistake."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from ananke.demo.lms.errors import PageError

MAX_TEXT = 5000
Check = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Whether the value is a text that is not empty."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def is_text_or_empty(value: Any) -> bool:
    """Whether the value is a text."""
    return isinstance(value, str) and len(value) <= MAX_TEXT


def is_slug(value: Any) -> bool:
    """Whether the value is a short name for URLs."""
    return isinstance(value, str) and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", value) is not None


def is_flag(value: Any) -> bool:
    """Whether the value is true or false."""
    return isinstance(value, bool)


def is_whole_number(value: Any) -> bool:
    """Whether the value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_positive(value: Any) -> bool:
    """Whether the value is a number above 0."""
    return is_number_or_null(value) and value is not None and value > 0


def is_number_or_null(value: Any) -> bool:
    """Whether the value is a finite number or null."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_text_list_or_null(value: Any) -> bool:
    """Whether the value is a list of texts, or null."""
    return value is None or (isinstance(value, list) and all(isinstance(v, str) for v in value))


def is_text_mapping(value: Any) -> bool:
    """Whether the value is an object of texts."""
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def make_choice_check(*allowed: str) -> Check:
    """Return a check for one of the allowed texts."""
    return lambda value: isinstance(value, str) and value in allowed


def read_fields(checks: Mapping[str, Check], *required: str) -> dict[str, Any]:
    """Return the request's JSON object; 400 with the name of the first invalid field."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise PageError(400, "Send a JSON object.")
    for name in required:
        if name not in body:
            raise PageError(400, f"{name} is missing.")
    for name, value in body.items():
        if name not in checks:
            raise PageError(400, f"{name[:80]} is unknown. The fields are: {', '.join(checks)}.")
        if not checks[name](value):
            raise PageError(400, f"{name} has an invalid value.")
    return body
