"""A platform that publishes its keys slowly."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.support.login_hub import Browser, LoginHub

pytestmark = pytest.mark.slow

TIMEOUT = 25.0


@pytest.fixture(scope="module")
def hub(lms, kore, ports, tmp_path_factory):
    """A hub that waits longer for keys than this test takes on a busy machine."""
    limits = f"keysets.FETCH_SECONDS = keysets._READ_SECONDS = {TIMEOUT}"
    more = f"from kore.hub import keysets\n{limits}\n"
    process = LoginHub(tmp_path_factory.mktemp("hub"), lms.url, ports, more=more)
    yield process
    process.close()


def test_a_slow_key_set_is_fetched_once_and_delays_nobody_else(hub, lms):
    """Twenty launches wait for one fetch; the hub answers others meanwhile; then all sign in."""
    lms.answers.clear()
    answers: list[requests.Response] = []

    def launch() -> None:
        answers.append(Browser(hub, lms).launch())

    launches = [threading.Thread(target=launch) for _ in range(20)]
    for thread in launches:
        thread.start()
    assert lms.asked.wait(10)

    # A blocked hub would answer only after the LMS's time limit.
    started = time.monotonic()
    for _ in range(20):
        assert requests.get(f"{hub.url}/hub/health", timeout=TIMEOUT).ok
    assert time.monotonic() - started < TIMEOUT / 2
    assert not answers

    lms.answers.set()
    for thread in launches:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [303] * 20
    assert lms.requests == 1
