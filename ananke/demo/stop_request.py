"""Signals to the demo, as something that its main loop can wait for."""

from __future__ import annotations

import operator
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_READ_BYTES = 65536
_MIN_SECONDS = 0.1
# With a handler, the signal's number is written to the wake-up pipe. Not a Python function: the
# next signals could interrupt it again and again, until the stack is full.
_DO_NOTHING = operator.is_


class StopRequest:
    """Whether the demo was asked to stop. Waiting also ends when a child process ends.

    A signal handler runs between any two steps of the main thread, which may hold any lock at
    that moment. So handlers take none: Python itself writes each signal's number to ``wakeup``,
    and ``wait`` reads the other end.
    """

    def __init__(self, wakeup: int) -> None:
        self._wakeup = wakeup
        self.received = False

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most ``seconds``.

        Children that end wake it at most ten times a second, so that many of them do not keep
        the demo busy; a request to stop wakes it at once.
        """
        start = time.monotonic()
        end = start + seconds
        while not self.received and (left := end - time.monotonic()) > 0:
            if select.select([self._wakeup], [], [], left)[0]:
                os.read(self._wakeup, _READ_BYTES)
                end = min(end, start + _MIN_SECONDS)

    def on_stop(self, _: int, __: FrameType | None) -> None:
        """Handle a signal that ends the demo.

        The number in the wake-up pipe is not enough: a full pipe takes no more of them.
        """
        self.received = True


@contextmanager
def catch_stop_signals() -> Iterator[StopRequest]:
    """Catch SIGTERM, SIGINT, SIGHUP and SIGCHLD while the context lasts."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    request = StopRequest(reader)
    previous_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    previous = {number: signal.signal(number, request.on_stop) for number in _STOP_SIGNALS}
    previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _DO_NOTHING)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_wakeup)
        os.close(reader)
        os.close(writer)
