"""The platforms' key sets: when they are asked for, and what is made of the answers."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest

from kore.hub import keysets
from kore.hub.keysets import (
    FRESH,
    RETRY_AFTER,
    STALE,
    KeySets,
    KeysUnreachableError,
    read_keys,
)
from kore.hub.refusals import Reason, Refusal
from tests.support.forge import Key

URL = "http://lms.example/jwks"
ONE, TWO = Key("one"), Key("two")


class Lms:
    """Answers with its keys, or fails; counts how often it was asked."""

    def __init__(self, *published: Key) -> None:
        self.published = list(published)
        self.asked = 0
        self.down = False
        self.hold = threading.Event()
        self.hold.set()
        self.now = 1000.0
        self.sets = KeySets(logging.getLogger("test"), fetch=self.fetch, clock=lambda: self.now)

    def fetch(self, url: str) -> bytes:
        assert url == URL
        self.asked += 1
        self.hold.wait(60)
        if self.down:
            raise KeysUnreachableError("ConnectionError")
        return json.dumps({"keys": [key.jwk() for key in self.published]}).encode()

    async def number(self, kid: str | None) -> int:
        return (await self.sets.key(URL, kid)).public_numbers().n


def number(key: Key) -> int:
    return key.private.public_key().public_numbers().n


async def refused(lms: Lms, kid: str | None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await lms.number(kid)
    return caught.value


def test_launches_share_one_fetch():
    """Twenty launches at once and one later ask the LMS once."""

    async def run() -> None:
        lms = Lms(ONE)
        assert set(await asyncio.gather(*(lms.number("one") for _ in range(20)))) == {number(ONE)}
        assert await lms.number("one") == number(ONE)
        assert lms.asked == 1

    asyncio.run(run())


def test_a_new_key_is_found_but_not_at_any_rate():
    """An unknown key asks again, at most once in ten seconds."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.published.append(TWO)
        assert (await refused(lms, "two")).reason is Reason.UNKNOWN_KEY
        assert lms.asked == 1
        lms.now += RETRY_AFTER
        assert await lms.number("two") == number(TWO)
        for _ in range(50):
            await refused(lms, "three")
        assert lms.asked == 2

    asyncio.run(run())


def test_keys_at_hand_are_used_while_they_are_renewed():
    """After a while the set is renewed beside the launch, which does not wait."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.now += FRESH + 1
        lms.hold.clear()
        assert await asyncio.wait_for(lms.number("one"), 10) == number(ONE)
        lms.published = [TWO]
        lms.hold.set()
        assert await lms.number("two") == number(TWO)
        assert (await refused(lms, "one")).reason is Reason.UNKNOWN_KEY

    asyncio.run(run())


def test_old_keys_stay_good_while_the_lms_is_down(caplog):
    """A failed refresh locks nobody out; the log says so."""

    async def run() -> None:
        lms = Lms(ONE)
        await lms.number("one")
        lms.down = True
        lms.now += STALE + 1
        assert await lms.number("one") == number(ONE)
        assert await lms.number("one") == number(ONE)
        assert lms.asked == 2
        refusal = await refused(lms, "two")
        assert refusal.reason is Reason.UNKNOWN_KEY
        assert "asking again failed: ConnectionError" in refusal.detail

    asyncio.run(run())
    assert "its last keys stay in use" in caplog.text


def test_an_lms_that_never_answered():
    """Without any keys the launch is refused with the cause; soon it is tried again."""

    async def run() -> None:
        lms = Lms(ONE)
        lms.down = True
        for _ in range(3):
            refusal = await refused(lms, "one")
            assert refusal.reason is Reason.KEYS_UNREACHABLE
            assert "ConnectionError" in refusal.detail
        assert lms.asked == 1
        lms.down = False
        lms.now += RETRY_AFTER
        assert await lms.number("one") == number(ONE)

    asyncio.run(run())


def test_a_launch_that_is_given_up_does_not_spoil_the_fetch_of_others():
    """One waiting launch is cancelled, the other gets its key."""

    async def run() -> None:
        lms = Lms(ONE)
        lms.hold.clear()
        first = asyncio.create_task(lms.number("one"))
        second = asyncio.create_task(lms.number("one"))
        await asyncio.sleep(0)
        first.cancel()
        lms.hold.set()
        assert await second == number(ONE)
        assert lms.asked == 1

    asyncio.run(run())


def test_a_fetch_that_never_ends_is_given_up(monkeypatch):
    """The time limit holds even where the connection's own does not."""
    monkeypatch.setattr(keysets, "FETCH_LIMIT", 0.05)
    monkeypatch.setattr(keysets, "_READ_LIMIT", 0.05)

    async def run() -> None:
        lms = Lms(ONE)
        lms.hold.clear()
        refusal = await refused(lms, "one")
        assert "no answer in time" in refusal.detail
        lms.hold.set()

    asyncio.run(run())


def test_a_token_without_kid():
    """A single key needs no name; among several, none is guessed."""

    async def run() -> None:
        assert await Lms(ONE).number(None) == number(ONE)
        assert (await refused(Lms(ONE, TWO), None)).reason is Reason.UNKNOWN_KEY

    asyncio.run(run())


def test_keys_that_are_no_use_are_left_out():
    """Other kinds, other uses, short keys and nonsense do not spoil the good one."""
    odd = [
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
    assert list(read_keys(json.dumps({"keys": odd}).encode())) == ["one"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys": 5}', b"[" * 100000])
def test_an_answer_that_is_no_key_set(body):
    """HTML, other JSON and endless brackets are a failure with words."""
    with pytest.raises(KeysUnreachableError):
        read_keys(body)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 600_000, "more than"),
        (b"nonsense", "ConnectionError"),
    ],
)
def test_fetching_is_bounded(answer, words, one_answer):
    """Another status, an endless body and a broken server end in words."""
    with pytest.raises(KeysUnreachableError, match=words):
        keysets.fetch(one_answer(answer))


def test_a_server_that_drips_is_given_up(monkeypatch, one_answer):
    """A body that comes byte by byte ends at the time limit."""
    monkeypatch.setattr(keysets, "FETCH_LIMIT", 0.2)
    url = one_answer(b"HTTP/1.1 200 OK\r\n\r\n", drip=b" ")
    with pytest.raises(KeysUnreachableError, match="took longer"):
        keysets.fetch(url)
