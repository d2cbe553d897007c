"""Waiting for what comes by itself: the one way to do so in tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    message: object = "it did not happen in time",
    *,
    seconds: float = 60,
) -> T:
    """Return what a condition returns, as soon as that is true; fail where it never is.

    ``seconds`` bound how long a broken test takes, not how fast a sound one has to be. A
    message that is a function is called at the end.
    """
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(message() if callable(message) else message)
        pause.wait(0.05)
    return found
