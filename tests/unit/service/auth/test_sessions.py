"""Who calls: the hub is asked by many threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from jupyterhub.services.auth import HubOAuth

from kore.service.auth.sessions import Callers


def _callers() -> Callers:
    settings = SimpleNamespace(api_url="http://hub.invalid/hub/api", api_token="t", prefix="/kore")
    services: Any = SimpleNamespace(settings=settings)
    return Callers(services)


def test_the_hub_is_first_called_by_one_thread_alone():
    """HubOAuth starts its own thread in its first call, which no second one may meet."""
    inside, met = 0, []
    lock, together = threading.Lock(), threading.Barrier(3, timeout=30)
    first = threading.Event()

    def call(token: str) -> str:
        nonlocal inside
        with lock:
            inside += 1
            met.append(inside)
        if first.is_set():
            together.wait()
        first.set()
        with lock:
            inside -= 1
        return token

    callers = _callers()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: callers._call_hub(call, "a"), range(4))) == ["a"] * 4
    assert met[0] == 1


def test_the_thread_of_huboauth_is_made_in_its_first_call():
    """While this is so, the first call must be alone; once it is not, ``_call_hub`` can go."""
    hub = _callers()._hub
    assert isinstance(hub, HubOAuth)
    assert "_pool" not in hub._trait_values
