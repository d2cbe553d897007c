"""What a course's server does with tickets, before Kore has said what they are for."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tornado.web import HTTPError

from kore.singleuser.autograding import extension


class _SlowKore:
    """Answers when it is let go; counts how many ask at the same time."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.at_once = self.most = self.asked = 0
        self._counting = threading.Lock()

    def __call__(self, ticket: str) -> dict[str, str]:
        with self._counting:
            self.asked += 1
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        assert self.go_on.wait(30)
        with self._counting:
            self.at_once -= 1
        return {"ticket": ticket}


def test_a_flood_of_tickets_keeps_two_threads_and_no_more(monkeypatch):
    """Kore is asked about two at a time, JupyterLab has its threads, and each is answered."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)

    async def flood() -> list[dict[str, str]]:
        tickets = extension.TicketLookup()
        claims = [asyncio.create_task(tickets.claim({"ticket": f"{n:064x}"})) for n in range(50)]
        async with asyncio.timeout(20):
            while kore.at_once < 2:  # noqa: ASYNC110 - other threads count, and tell no loop
                await asyncio.sleep(0.005)
        # JupyterLab's own work goes on meanwhile.
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 10) == 7
        kore.go_on.set()
        return await asyncio.gather(*claims)

    answers = asyncio.run(flood())
    assert [answer["ticket"] for answer in answers] == [f"{n:064x}" for n in range(50)]
    assert (kore.asked, kore.most) == (50, 2)


def test_more_than_may_wait_are_turned_away_and_room_comes_back(monkeypatch):
    """Memory is not filled by them either; who comes after the flood is served."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)

    async def flood() -> None:
        tickets = extension.TicketLookup()
        most = extension._MAX_WAITING
        claims = [asyncio.create_task(tickets.claim({"ticket": "0" * 64})) for _ in range(most)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPError) as refused:
            await tickets.claim({"ticket": "1" * 64})
        assert refused.value.status_code == 503
        kore.go_on.set()
        await asyncio.gather(*claims)
        assert await tickets.claim({"ticket": "1" * 64}) == {"ticket": "1" * 64}

    asyncio.run(flood())


@pytest.mark.parametrize("body", [None, [], {}, {"ticket": 5}, {"ticket": "A" * 64}, "0" * 64])
def test_what_is_no_ticket_is_refused_without_asking(monkeypatch, body):
    """Kore never hears of it."""
    kore = _SlowKore()
    monkeypatch.setattr(extension, "_claim", kore)
    with pytest.raises(HTTPError) as refused:
        asyncio.run(extension.TicketLookup().claim(body))
    assert (refused.value.status_code, kore.asked) == (403, 0)
