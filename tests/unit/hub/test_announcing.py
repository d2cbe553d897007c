"""Telling Kore of launches: in the background, with patience, and never in the way."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime

import pytest
from tornado.web import Application, RequestHandler

from kore.hub import launches
from kore.hub.launches import LaunchAnnouncer
from kore.hub.platforms import Platform

LMS = Platform("https://lms.example", "tool", "a", "j", "https://lms.example/token")
CREATED = datetime(2026, 11, 24, 8, 0)  # noqa: DTZ001  (as the hub keeps it)
LOG = logging.getLogger("test.announcing")


class Kore:
    """Answers ``statuses`` one after the other, then 202."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.told: list[tuple[str, dict]] = []
        self.arrived = asyncio.Event()
        kore = self

        class Launches(RequestHandler):
            def post(self) -> None:
                status = kore.statuses.pop(0) if kore.statuses else 202
                self.set_status(status)
                self.write({"error": {"code": "odd"}})
                if status == 202:
                    kore.told.append(
                        (self.request.headers["Authorization"], json.loads(self.request.body))
                    )
                    kore.arrived.set()

        application = Application([("/launches", Launches)], log_function=lambda _: None)
        self._server = application.listen(0, "127.0.0.1")
        port = next(iter(self._server._sockets.values())).getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/launches"

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Pauses of milliseconds."""
    monkeypatch.setattr(launches, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(launches, "_LONGEST_PAUSE", 0.002)


def said(caplog) -> list[str]:
    """What was logged here: threads of other tests may have a word to say, too."""
    return [record.getMessage() for record in caplog.records if record.name == LOG.name]


async def given_up(caplog) -> str:
    """Wait for the one line."""
    while not said(caplog):  # noqa: ASYNC110 - a log record is no event
        await asyncio.sleep(0.005)
    return said(caplog)[0]


def test_what_kore_gets():
    """User, client id, claims and platform, under the login's token."""

    async def run() -> None:
        kore = Kore()
        announcer = LaunchAnnouncer(kore.url, "secret", LOG)
        announcer.announce("u1", CREATED, {"sub": "1", "name": "\ud800Ä"}, LMS)
        await asyncio.wait_for(kore.arrived.wait(), 10)
        assert kore.told == [
            (
                "token secret",
                {
                    "user": "u1",
                    "user_created_at": "2026-11-24T08:00:00+00:00",
                    "client_id": "tool",
                    "claims": {"sub": "1", "name": "\ud800Ä"},
                    "platform": {
                        "issuer": "https://lms.example",
                        "client_id": "tool",
                        "token_url": "https://lms.example/token",
                    },
                },
            )
        ]
        await announcer.close()
        kore.stop()

    asyncio.run(run())


def test_a_kore_that_is_not_ready_yet_is_asked_again(caplog):
    """Whatever may pass is tried again, without a word in the log."""

    async def run() -> None:
        kore = Kore(503, 500, 404, 403, 302)
        announcer = LaunchAnnouncer(kore.url, "secret", LOG)
        announcer.announce("u1", CREATED, {}, LMS)
        await asyncio.wait_for(kore.arrived.wait(), 10)
        assert len(kore.told) == 1
        await announcer.close()
        kore.stop()

    asyncio.run(run())
    assert not said(caplog)


def test_a_kore_that_stays_away_is_given_up_in_one_line(caplog):
    """After the time for it, one line; the next launch is delivered."""

    async def run() -> None:
        kore = Kore()
        kore.stop()
        announcer = LaunchAnnouncer(kore.url, "secret", LOG, patience=0.02)
        announcer.announce("u1", CREATED, {}, LMS)
        assert "launch by u1: it cannot be reached" in await given_up(caplog)
        await announcer.close()

    asyncio.run(run())
    assert len(said(caplog)) == 1


def test_a_refusal_for_good_is_not_repeated(caplog):
    """Kore's words are in the log."""

    async def run() -> None:
        kore = Kore(422)
        announcer = LaunchAnnouncer(kore.url, "secret", LOG)
        announcer.announce("u1", CREATED, {}, LMS)
        assert "launch by u1: it answers 422" in await given_up(caplog)
        assert "odd" in caplog.text
        assert not kore.told
        await announcer.close()
        kore.stop()

    asyncio.run(run())


def test_too_many_waiting_are_dropped_with_a_line(caplog, monkeypatch):
    """The queue is bounded, and a login does not notice."""
    monkeypatch.setattr(launches, "_QUEUE", 5)

    async def run() -> None:
        kore = Kore()
        announcer = LaunchAnnouncer(kore.url, "secret", LOG)
        for number in range(6):
            announcer.announce(f"u{number}", CREATED, {}, LMS)
        await announcer.close()
        kore.stop()

    asyncio.run(run())
    assert "not told of the launch by u5: 5 are waiting already" in caplog.text
