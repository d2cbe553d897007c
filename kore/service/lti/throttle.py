"""How many requests may be under way to one LMS, and when the next may start.

An LMS that throttles is answered by everyone who talks to it: the wait it asks for holds
for all requests, and afterwards they go one at a time until it has stayed content.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kore.service.lti.errors import StoppedError

# A stop is noticed within this many seconds of waiting.
_LOOK = 0.25
# So many answers without complaint widen a narrowed gate by one place.
_CONTENT = 25


class Gate:
    """Places for ``limit`` requests at once, shared by all jobs of this process."""

    def __init__(self, limit: int) -> None:
        self._most = limit
        self._limit = limit
        self._active = 0
        self._content = 0
        self._closed_until = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def place(self, stop: threading.Event | None = None) -> Iterator[None]:
        """Hold one of the places; raises ``StoppedError`` where ``stop`` is set before that."""
        with self._changed:
            while True:
                if stop is not None and stop.is_set():
                    raise StoppedError("Stopped before the LMS was asked.")
                wait = self._closed_until - time.monotonic()
                if self._active < self._limit and wait <= 0:
                    break
                self._changed.wait(min(wait, _LOOK) if wait > 0 else _LOOK)
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def throttle(self, seconds: float) -> None:
        """Close for some seconds, and let one at a time through afterwards."""
        with self._changed:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)
            self._limit = 1
            self._content = 0

    def content(self) -> None:
        """Note an answer without complaint."""
        with self._changed:
            if self._limit == self._most:
                return
            self._content += 1
            if self._content >= _CONTENT:
                self._content = 0
                self._limit += 1
                self._changed.notify_all()
