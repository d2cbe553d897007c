"""Reads moments as nbgrader writes them: ``2026-11-25 17h04m05.678900s UTC``.

Courses and students can write anything there, and nbgrader's own parser looks for a time zone
of any name among all files of the machine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nbgrader.utils import parse_utc

_STAMP = re.compile(
    r"(?P<moment>\d[\d./-]{5,11}[ T]\d[\d:hms]{3,9}(?P<fraction>\.\d{1,9}s?)?)"
    r"( ?(?P<zone>[A-Za-z]{1,5}|[+-]\d\d:?\d\d))?"
)


def read_timestamp(text: str) -> tuple[datetime, bool]:
    """Return the moment of a stamp in UTC, and whether it is more precise than a second.

    Without a zone, or with one that this machine does not know, it is UTC, as for nbgrader.
    Raises ValueError for anything else.
    """
    found = _STAMP.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"no moment: {text[:80]!r}")
    moment, zone = found["moment"].replace("T", " "), found["zone"] or "UTC"
    offset = timedelta()
    if zone[0] in "+-":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        offset, zone = (offset if zone[0] == "+" else -offset), "UTC"
    try:
        utc: datetime = parse_utc(f"{moment} {zone}") - offset
    except (OverflowError, TypeError, OSError) as error:
        raise ValueError(f"no moment: {text[:80]!r}") from error
    return utc.replace(tzinfo=UTC), found["fraction"] is not None
