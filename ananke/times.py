"""Moments: ISO 8601 in UTC for machines, local time for people."""

from __future__ import annotations

import datetime as dt
from typing import Any


def to_iso(value: Any) -> str:
    """Return a moment of Podman as ISO 8601 in UTC with whole seconds; empty if there is none.

    ``value`` is a number of seconds since 1970, or an ISO 8601 text.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = dt.datetime.fromtimestamp(value, dt.UTC)
        else:
            moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def to_local(iso: str) -> str:
    """Return a moment of ``to_iso`` in the time zone of this host, as people read it."""
    if not iso:
        return ""
    return f"{dt.datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M %Z}".strip()
