"""What Assignment and Grade Services exchange: line items, scores, results."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kore.shared.lti.claims import clean_text, clean_url

_TOLERANCE = 1.1e-5


@dataclass(frozen=True)
class LineItem:
    """A column of the LMS's gradebook. ``url`` identifies it; texts are "" where absent."""

    url: str
    label: str
    maximum: float
    resource_id: str
    tag: str
    resource_link_id: str


@dataclass(frozen=True)
class Score:
    """A score message (AGS 2.0, 3.4): points of a person, final and fully graded.

    ``timestamp`` is aware; it must be later than that of each score sent before for the
    same person and line item, and some LMS compare whole seconds only.
    """

    sub: str
    given: float
    maximum: float
    timestamp: datetime

    def to_json(self) -> bytes:
        """Return the message as JSON, its time with milliseconds and zone."""
        message = {
            "userId": self.sub,
            "scoreGiven": self.given,
            "scoreMaximum": self.maximum,
            "timestamp": self.timestamp.isoformat(timespec="milliseconds"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        return json.dumps(message).encode("ascii")


@dataclass(frozen=True)
class Result:
    """What a gradebook holds for a person: points of a maximum, both on the LMS's scale."""

    score: float
    maximum: float

    def matches(self, score: Score) -> bool:
        """Whether a score became this: rescaled, rounded to 5 places, or clamped."""
        if score.maximum <= 0:
            return False
        expected = score.given * self.maximum / score.maximum
        return any(
            abs(self.score - value) < _TOLERANCE
            for value in (expected, min(expected, self.maximum))
        )


def read_line_item(entry: Any, fallback_url: str | None = None) -> LineItem | None:
    """Return the line item of its JSON; None for anything without a usable URL."""
    if not isinstance(entry, dict):
        return None
    url = clean_url(entry.get("id")) or clean_url(fallback_url)
    if url is None:
        return None
    return LineItem(
        url=url,
        label=clean_text(entry.get("label")),
        maximum=_read_number(entry.get("scoreMaximum")) or 0.0,
        resource_id=_read_id(entry.get("resourceId")),
        tag=_read_id(entry.get("tag")),
        resource_link_id=_read_id(entry.get("resourceLinkId")),
    )


def read_result(entry: dict[str, Any]) -> tuple[str, Result] | None:
    """Return the person (``sub``) and the result of its JSON; None where there is no score."""
    user, score = entry.get("userId"), _read_number(entry.get("resultScore"))
    if not isinstance(user, str | int) or score is None:
        return None
    maximum = _read_number(entry.get("resultMaximum"))
    # Without a maximum the scale is 1 (AGS 2.0, 3.3.4.3).
    return str(user), Result(score, 1.0 if maximum is None else maximum)


def _read_id(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _read_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
