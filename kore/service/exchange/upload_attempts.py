"""When a piece of work first knocked, however often it had to be sent.

Who is turned away for a moment at the deadline, because too many come at once or a line
broke, is not late for that: the first try counts, for a minute.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

GRACE = timedelta(seconds=60)
"""How long after its first byte work may be whole, and count as of that byte."""

_MOST = 20_000
_first: dict[tuple[str, ...], datetime] = {}
_lock = threading.Lock()


def first_try(moment: datetime, *what: str) -> datetime:
    """Return when ``what`` (course, assignment, user, key) first came, at most GRACE ago."""
    with _lock:
        began = _first.setdefault(what, moment)
        if moment - began > GRACE:
            # In the order of coming: what is too old lies in front.
            del _first[what]
            began = _first[what] = moment
        while len(_first) > _MOST or moment - next(iter(_first.values())) > GRACE:
            del _first[next(iter(_first))]
        return began
