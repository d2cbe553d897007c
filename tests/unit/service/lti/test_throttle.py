"""The throttle: concurrent requests to one LMS, and slowing down."""

from __future__ import annotations

import threading
import time

import pytest

from kore.service.lti.errors import StoppedError
from kore.service.lti.throttle import Throttle


def test_throttle_limits_concurrent_requests():
    """No more requests than the limit run at once, and all run in the end."""
    throttle, active, seen = Throttle(3), [], []
    lock, together = threading.Lock(), threading.Barrier(3)

    def pass_through():
        with throttle.slot():
            with lock:
                active.append(1)
                seen.append(len(active))
            together.wait(30)
            # Time for a fourth one to come in.
            time.sleep(0.02)
            with lock:
                active.pop()

    threads = [threading.Thread(target=pass_through) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(seen) == 3


def test_throttle_recovers_after_successes():
    """After slowing down one request runs at a time, and more after enough successes."""
    throttle = Throttle(2)
    began = time.monotonic()
    throttle.slow_down(0.05)
    stop = threading.Event()
    stop.set()
    with throttle.slot():
        assert time.monotonic() - began >= 0.05
        with pytest.raises(StoppedError), throttle.slot(stop):
            pass
    for _ in range(25):
        throttle.note_success()
    with throttle.slot(), throttle.slot():
        pass
