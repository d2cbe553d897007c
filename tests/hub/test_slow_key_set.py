"""A platform that takes its time to publish its keys."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.support.login_hub import Browser, LoginHub

pytestmark = pytest.mark.slow

GIVES_UP = 25.0


@pytest.fixture(scope="module")
def hub(lms, kore, ports, tmp_path_factory):
    """A hub that waits longer for keys than a busy machine takes for this test."""
    limits = f"keysets.FETCH_LIMIT = keysets._READ_LIMIT = {GIVES_UP}"
    more = f"from kore.hub import keysets\n{limits}\n"
    process = LoginHub(tmp_path_factory.mktemp("hub"), lms.url, ports, more=more)
    yield process
    process.close()


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

    # A hub that is held up would answer when it gives up on the LMS, and not before.
    begun = time.monotonic()
    for _ in range(20):
        assert requests.get(f"{hub.url}/hub/health", timeout=GIVES_UP).ok
    assert time.monotonic() - begun < GIVES_UP / 2
    assert not answers

    lms.answers.set()
    for thread in launches:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [303] * 20
    assert lms.requests == 1
