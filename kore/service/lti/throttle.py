"""Limits requests to one LMS: how many at once, and when the next may start.

When an LMS throttles, everyone who talks to it waits as long as it asks; afterwards requests
go one at a time, and more at once as long as they succeed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kore.service.lti.errors import StoppedError

# A stop is noticed within this many seconds of waiting.
_POLL_SECONDS = 0.25
# So many successes in a row allow one more request at once, up to the limit.
_SUCCESSES_PER_SLOT = 25


class Throttle:
    """Slots for ``limit`` requests at once, shared by all jobs of this process."""

    def __init__(self, limit: int) -> None:
        self._max_slots = limit
        self._slots = limit
        self._active = 0
        self._successes = 0
        self._paused_until = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, stop: threading.Event | None = None) -> Iterator[None]:
        """Wait for a slot and hold it; raises ``StoppedError`` if ``stop`` is set before."""
        with self._changed:
            while True:
                if stop is not None and stop.is_set():
                    raise StoppedError
                wait = self._paused_until - time.monotonic()
                if self._active < self._slots and wait <= 0:
                    break
                self._changed.wait(min(wait, _POLL_SECONDS) if wait > 0 else _POLL_SECONDS)
            self._active += 1
        try:
            yield
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def slow_down(self, seconds: float) -> None:
        """Pause for some seconds, and allow one request at a time afterwards."""
        with self._changed:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
            self._slots = 1
            self._successes = 0

    def note_success(self) -> None:
        """Count an answer that did not ask to slow down."""
        with self._changed:
            if self._slots == self._max_slots:
                return
            self._successes += 1
            if self._successes >= _SUCCESSES_PER_SLOT:
                self._successes = 0
                self._slots += 1
                self._changed.notify_all()
