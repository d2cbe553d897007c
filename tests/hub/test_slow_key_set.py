"""A platform that takes its time to publish its keys."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.support.login_hub import Browser

pytestmark = pytest.mark.slow


def test_a_slow_key_set_holds_up_nobody_else_and_is_fetched_once(hub, lms):
    """Twenty launches wait for one fetch; the hub answers others meanwhile; then all come in."""
    lms.answers.clear()
    answers: list[requests.Response] = []

    def launch() -> None:
        answers.append(Browser(hub, lms).launch())

    launches = [threading.Thread(target=launch) for _ in range(20)]
    for thread in launches:
        thread.start()
    assert lms.asked.wait(10)

    slowest = 0.0
    for _ in range(20):
        begun = time.monotonic()
        assert requests.get(f"{hub.url}/hub/health", timeout=5).ok
        slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 1
    assert not answers

    lms.answers.set()
    for thread in launches:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [303] * 20
    assert lms.requests == 1
