"""Key sets are cached, refreshed and parsed."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest

from kore.hub import keysets
from kore.hub.keysets import (
    FRESH_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    KeySets,
    KeysUnreachableError,
    parse_keys,
)
from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal
from tests.support.fake_lms import Key

URL = "http://lms.example/jwks"
ONE, TWO = Key("one"), Key("two")


class Lms:
    """Answers with its keys, or fails; counts requests."""

    def __init__(self, *published: Key) -> None:
        self.published = list(published)
        self.requests = 0
        self.down = False
        self.hold = threading.Event()
        self.hold.set()
        self.now = 1000.0
        self.sets = KeySets(logging.getLogger("test"), fetch=self.fetch, clock=lambda: self.now)

    def fetch(self, url: str) -> bytes:
        assert url == URL
        self.requests += 1
        self.hold.wait(60)
        if self.down:
            raise KeysUnreachableError("ConnectionError")
        return json.dumps({"keys": [key.jwk() for key in self.published]}).encode()

    async def number(self, kid: str | None) -> int:
        return (await self.sets.get_key(URL, kid)).public_numbers().n


def number(key: Key) -> int:
    return key.private.public_key().public_numbers().n


async def refused(lms: Lms, kid: str | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await lms.number(kid)
    return caught.value


def test_launches_share_one_fetch():
    """Twenty simultaneous launches and a later one cause one request."""

    async def run() -> None:
        lms = Lms(ONE)
        assert set(await asyncio.gather(*(lms.number("one") for _ in range(20)))) == {number(ONE)}
        assert await lms.number("one") == number(ONE)
        assert lms.requests == 1

    asyncio.run(run())


def test_an_unknown_key_refreshes_the_set_at_a_limited_rate():
    """An unknown key causes a request at most every ten seconds."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.published.append(TWO)
        assert (await refused(lms, "two")).reason is Reason.UNKNOWN_KEY
        assert lms.requests == 1
        lms.now += RETRY_SECONDS
        assert await lms.number("two") == number(TWO)
        for _ in range(50):
            await refused(lms, "three")
        assert lms.requests == 2

    asyncio.run(run())


def test_cached_keys_are_used_during_a_refresh():
    """After ten minutes the set is refreshed, and the launch does not wait for that."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.now += FRESH_SECONDS + 1
        lms.hold.clear()
        assert await asyncio.wait_for(lms.number("one"), 10) == number(ONE)
        lms.published = [TWO]
        lms.hold.set()
        assert await lms.number("two") == number(TWO)
        assert (await refused(lms, "one")).reason is Reason.UNKNOWN_KEY

    asyncio.run(run())


def test_cached_keys_stay_valid_while_the_lms_is_down(caplog):
    """A failed refresh locks nobody out, and the log says so."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.down = True
        lms.now += STALE_SECONDS + 1
        assert await lms.number("one") == number(ONE)
        assert await lms.number("one") == number(ONE)
        assert lms.requests == 2
        refusal = await refused(lms, "two")
        assert refusal.reason is Reason.UNKNOWN_KEY
        assert "refreshing them failed: ConnectionError" in refusal.detail

    asyncio.run(run())
    assert "the cached keys stay in use" in caplog.text


def test_a_launch_without_any_keys_is_refused():
    """The refusal names the cause, and a later launch retries."""

    async def run() -> None:
        lms = Lms(ONE)
        lms.down = True
        for _ in range(3):
            refusal = await refused(lms, "one")
            assert refusal.reason is Reason.KEYS_UNREACHABLE
            assert "ConnectionError" in refusal.detail
        assert lms.requests == 1
        lms.down = False
        lms.now += RETRY_SECONDS
        assert await lms.number("one") == number(ONE)

    asyncio.run(run())


def test_a_cancelled_launch_does_not_cancel_the_fetch():
    """If one waiting launch is cancelled, the other gets its key."""

    async def run() -> None:
        lms = Lms(ONE)
        lms.hold.clear()
        first = asyncio.create_task(lms.number("one"))
        second = asyncio.create_task(lms.number("one"))
        await asyncio.sleep(0)
        first.cancel()
        lms.hold.set()
        assert await second == number(ONE)
        assert lms.requests == 1

    asyncio.run(run())


def test_a_fetch_that_never_ends_times_out(monkeypatch):
    """The time limit works even if the connection's own limits do not."""
    monkeypatch.setattr(keysets, "FETCH_SECONDS", 0.05)
    monkeypatch.setattr(keysets, "_READ_SECONDS", 0.05)

    async def run() -> None:
        lms = Lms(ONE)
        lms.hold.clear()
        refusal = await refused(lms, "one")
        assert "no answer in time" in refusal.detail
        lms.hold.set()

    asyncio.run(run())


def test_a_token_without_kid():
    """A single key needs no id; among several, none is guessed."""

    async def run() -> None:
        assert await Lms(ONE).number(None) == number(ONE)
        assert (await refused(Lms(ONE, TWO), None)).reason is Reason.UNKNOWN_KEY

    asyncio.run(run())


def test_unusable_keys_are_omitted():
    """Other types, other uses, short keys and nonsense do not affect the usable key."""
    entries = [
        None,
        "x",
        {},
        {"kty": "EC", "kid": "ec"},
        {"kty": "oct", "k": "AAAA", "kid": "oct"},
        {"kty": "RSA", "kid": "empty"},
        {"kty": "RSA", "n": 5, "e": [], "kid": "types"},
        {**TWO.jwk(), "use": "enc", "kid": "enc"},
        {**TWO.jwk(), "alg": "PS256", "kid": "pss"},
        {**Key("short", 1024).jwk()},
        ONE.jwk(),
    ]
    assert list(parse_keys(json.dumps({"keys": entries}).encode())) == ["one"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys": 5}', b"[" * 100000])
def test_an_answer_that_is_no_key_set(body):
    """HTML, other JSON and endless brackets raise KeysUnreachableError."""
    with pytest.raises(KeysUnreachableError):
        parse_keys(body)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 600_000, "more than"),
        (b"nonsense", "ConnectionError"),
    ],
)
def test_fetching_is_bounded(answer, message, one_answer):
    """Another status, an endless body and a broken server raise KeysUnreachableError."""
    with pytest.raises(KeysUnreachableError, match=message):
        keysets.fetch_key_set(one_answer(answer))


def test_a_slow_body_times_out(monkeypatch, one_answer):
    """A body that arrives byte by byte ends at the time limit."""
    monkeypatch.setattr(keysets, "FETCH_SECONDS", 0.2)
    url = one_answer(b"HTTP/1.1 200 OK\r\n\r\n", drip=b" ")
    with pytest.raises(KeysUnreachableError, match="took longer"):
        keysets.fetch_key_set(url)
