"""Kore is notified of launches in the background, with retries."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime

import pytest
from tornado.web import Application, RequestHandler

from kore.hub import launch_notifier
from kore.hub.launch_notifier import LaunchNotifier
from kore.hub.platforms import Platform

LMS = Platform("https://lms.example", "tool", "a", "j", "https://lms.example/token")
CREATED = datetime(2026, 11, 24, 8, 0)  # noqa: DTZ001  (as the hub keeps it)
LOG = logging.getLogger("test.launch_notifier")


class Kore:
    """Answers ``statuses`` one after another, then 202."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[tuple[str, dict]] = []
        self.arrived = asyncio.Event()
        kore = self

        class Launches(RequestHandler):
            def post(self) -> None:
                status = kore.statuses.pop(0) if kore.statuses else 202
                self.set_status(status)
                self.write({"error": {"code": "some_code"}})
                if status == 202:
                    kore.received.append(
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
def short_pauses(monkeypatch):
    """Pauses of milliseconds."""
    monkeypatch.setattr(launch_notifier, "_MIN_PAUSE", 0.001)
    monkeypatch.setattr(launch_notifier, "_MAX_PAUSE", 0.002)


def log_lines(caplog) -> list[str]:
    """Messages of this module's logger: threads of other tests may log as well."""
    return [record.getMessage() for record in caplog.records if record.name == LOG.name]


async def wait_for_log_line(caplog) -> str:
    """Wait for the first line."""
    while not log_lines(caplog):  # noqa: ASYNC110 - a log record is no event
        await asyncio.sleep(0.005)
    return log_lines(caplog)[0]


def test_kore_receives_the_launch():
    """Kore gets user, client id, claims and platform, with the login's token."""

    async def run() -> None:
        kore = Kore()
        notifier = LaunchNotifier(kore.url, "secret", LOG)
        notifier.notify("u1", CREATED, {"sub": "1", "name": "\ud800Ä"}, LMS)
        await asyncio.wait_for(kore.arrived.wait(), 10)
        assert kore.received == [
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
                        "service_hosts": ["a", "j"],
                    },
                },
            )
        ]
        await notifier.close()
        kore.stop()

    asyncio.run(run())


def test_temporary_errors_are_retried(caplog):
    """An error that may pass is retried, without a line in the log."""

    async def run() -> None:
        kore = Kore(503, 500, 404, 403, 302)
        notifier = LaunchNotifier(kore.url, "secret", LOG)
        notifier.notify("u1", CREATED, {}, LMS)
        await asyncio.wait_for(kore.arrived.wait(), 10)
        assert len(kore.received) == 1
        await notifier.close()
        kore.stop()

    asyncio.run(run())
    assert not log_lines(caplog)


def test_delivery_ends_with_one_line_in_the_log(caplog):
    """After the retry time, the launch is dropped with one line in the log."""

    async def run() -> None:
        kore = Kore()
        kore.stop()
        notifier = LaunchNotifier(kore.url, "secret", LOG, retry_seconds=0.02)
        notifier.notify("u1", CREATED, {}, LMS)
        assert "launch by u1: cannot reach it" in await wait_for_log_line(caplog)
        await notifier.close()

    asyncio.run(run())
    assert len(log_lines(caplog)) == 1


def test_a_final_refusal_is_not_retried(caplog):
    """Kore's message is in the log."""

    async def run() -> None:
        kore = Kore(422)
        notifier = LaunchNotifier(kore.url, "secret", LOG)
        notifier.notify("u1", CREATED, {}, LMS)
        assert "launch by u1: it answered 422" in await wait_for_log_line(caplog)
        assert "some_code" in caplog.text
        assert not kore.received
        await notifier.close()
        kore.stop()

    asyncio.run(run())


def test_a_full_queue_drops_launches_with_a_line(caplog, monkeypatch):
    """The queue is bounded, and a login does not wait for it."""
    monkeypatch.setattr(launch_notifier, "_MAX_QUEUED", 5)

    async def run() -> None:
        kore = Kore()
        notifier = LaunchNotifier(kore.url, "secret", LOG)
        for number in range(6):
            notifier.notify(f"u{number}", CREATED, {}, LMS)
        await notifier.close()
        kore.stop()

    asyncio.run(run())
    assert "Could not notify Kore of the launch by u5: 5 are waiting already" in caplog.text
