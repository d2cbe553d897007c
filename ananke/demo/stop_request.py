"""Signals to the demo, as something that its main loop can wait for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether the demo was asked to stop. Waiting also ends when a child process ends."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self.received = False

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most ``seconds``."""
        self._wake.wait(seconds)
        self._wake.clear()

    def on_stop(self, _: int, __: FrameType | None) -> None:
        """Handle a signal that ends the demo."""
        self.received = True
        self._wake.set()

    def on_child_ended(self, _: int, __: FrameType | None) -> None:
        """Handle SIGCHLD: wake up, so that the programs are checked."""
        self._wake.set()


@contextmanager
def catch_stop_signals() -> Iterator[StopRequest]:
    """Catch SIGTERM, SIGINT, SIGHUP and SIGCHLD while the context lasts."""
    request = StopRequest()
    previous = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGTERM, request.on_stop),
            (signal.SIGINT, request.on_stop),
            (signal.SIGHUP, request.on_stop),
            (signal.SIGCHLD, request.on_child_ended),
        )
    }
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
