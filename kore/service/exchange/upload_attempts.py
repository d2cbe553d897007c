"""When a piece of work was first sent, however often it had to be sent again.

Nobody is late because they were turned away for a moment at the deadline, when too many came
at once or a connection broke: the first attempt counts, for a minute.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

GRACE = timedelta(seconds=60)
"""How long after its first byte work may be complete, and count as of that byte."""

_MAX_ATTEMPTS = 20_000
_first: dict[tuple[str, ...], datetime] = {}
_lock = threading.Lock()


def first_attempt(moment: datetime, *upload: str) -> datetime:
    """Return when an upload (course, assignment, user, key) first came, at most GRACE ago."""
    with _lock:
        began = _first.setdefault(upload, moment)
        if moment - began > GRACE:
            # In the order of coming: what is too old lies in front.
            del _first[upload]
            began = _first[upload] = moment
        while len(_first) > _MAX_ATTEMPTS or moment - next(iter(_first.values())) > GRACE:
            del _first[next(iter(_first))]
        return began
