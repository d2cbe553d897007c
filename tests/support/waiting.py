"""Waiting for what comes by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], words: str, seconds: float = 60) -> T:
    """Return what a condition says as soon as it holds; fail with words where it never does."""
    deadline, beat = time.monotonic() + seconds, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, words
        beat.wait(0.1)
    return found
