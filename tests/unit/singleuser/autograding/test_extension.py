"""A course's server looks tickets up in Kore, a few at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tornado.web import HTTPError

from kore.singleuser.autograding import extension


class _SlowKore:
    """Answers when released; counts simultaneous requests."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.concurrent = self.max_concurrent = self.requests = 0
        self._counting = threading.Lock()

    def __call__(self, ticket: str) -> dict[str, str]:
        with self._counting:
            self.requests += 1
            self.concurrent += 1
            self.max_concurrent = max(self.max_concurrent, self.concurrent)
        assert self.released.wait(30)
        with self._counting:
            self.concurrent -= 1
        return {"ticket": ticket}


def test_many_tickets_use_two_threads(monkeypatch):
    """Kore gets two requests at a time, JupyterLab keeps its threads, and all are answered."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)

    async def flood() -> list[dict[str, str]]:
        tickets = extension.TicketLookup()
        claims = [asyncio.create_task(tickets.claim({"ticket": f"{n:064x}"})) for n in range(50)]
        async with asyncio.timeout(20):
            while kore.concurrent < 2:  # noqa: ASYNC110 - other threads count, without notifying the loop
                await asyncio.sleep(0.005)
        # JupyterLab's own work continues meanwhile.
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 10) == 7
        kore.released.set()
        return await asyncio.gather(*claims)

    answers = asyncio.run(flood())
    assert [answer["ticket"] for answer in answers] == [f"{n:064x}" for n in range(50)]
    assert (kore.requests, kore.max_concurrent) == (50, 2)


def test_too_many_waiting_tickets_are_refused(monkeypatch):
    """Waiting tickets are bounded, and a later one is served."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)

    async def flood() -> None:
        tickets = extension.TicketLookup()
        limit = extension._MAX_WAITING
        claims = [asyncio.create_task(tickets.claim({"ticket": "0" * 64})) for _ in range(limit)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPError) as refused:
            await tickets.claim({"ticket": "1" * 64})
        assert refused.value.status_code == 503
        kore.released.set()
        await asyncio.gather(*claims)
        assert await tickets.claim({"ticket": "1" * 64}) == {"ticket": "1" * 64}

    asyncio.run(flood())


@pytest.mark.parametrize("body", [None, [], {}, {"ticket": 5}, {"ticket": "A" * 64}, "0" * 64])
def test_an_invalid_ticket_is_refused_without_asking_kore(monkeypatch, body):
    """Anything but a ticket causes no request to Kore."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)
    with pytest.raises(HTTPError) as refused:
        asyncio.run(extension.TicketLookup().claim(body))
    assert (refused.value.status_code, kore.requests) == (403, 0)
