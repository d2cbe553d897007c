"""What a course's server answers: read as it comes, and believed no further than it can be."""

from __future__ import annotations

import pytest

from kore.service import courseserver
from kore.service.courseserver import ServerLostError, answering
from kore.service.errors import KoreError
from tests.support.raw_server import ResetError, http, raw_server, replay

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    """One chunk of an answer."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def told(*parts: bytes) -> list[dict]:
    """Return what comes of an answer."""
    with (
        raw_server(replay([HEAD, *map(chunk, parts), END])) as server,
        answering(server.url + "/x", "secret") as objects,
    ):
        return list(objects)


def test_objects_come_line_by_line_however_the_answer_is_cut():
    """Chunks and lines have nothing to do with each other."""
    assert told(b'{"n": 1}\n{"n"', b': "\xc3', b'\xbc"}\n', b"{}\n") == [{"n": 1}, {"n": "ü"}, {}]


def test_no_token_is_sent():
    """What a server is sent, its teachers can read: a ticket, and nothing that lets in."""
    with raw_server(replay(http())) as server:
        with answering(server.url + "/x", "secret") as objects:
            assert list(objects) == []
        [seen] = server.seen
    assert {"authorization", "cookie"}.isdisjoint(seen.headers)
    assert seen.body == b'{"ticket": "secret"}'


@pytest.mark.parametrize(
    "part",
    [b"no json\n", b"[1]\n", b"[" * 100_000 + b"\n", b'{"a": "' + b"x" * (2**20 + 1)],
    ids=["text", "list", "deep", "endless"],
)
def test_an_answer_that_makes_no_sense_ends_it(part):
    """Whatever a course's account has its server say, Kore neither fails nor fills up."""
    with pytest.raises(ServerLostError):
        told(part)


@pytest.mark.slow
def test_an_answer_that_breaks_off_is_told(monkeypatch):
    """A server that falls silent in the middle of a line."""
    monkeypatch.setattr(courseserver, "_IDLE_SECONDS", 2)
    with (
        raw_server(replay([HEAD, chunk(b'{"n": 1}\n{"n')])) as server,
        answering(server.url + "/x", "secret") as objects,
    ):
        assert next(objects) == {"n": 1}
        with pytest.raises(ServerLostError):
            next(objects)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http("404 Not Found"), "server_outdated"),
        (http("409 Conflict"), "autograding_busy"),
        (http("302 Found", headers={"Location": "http://127.0.0.1:9/"}), None),
        (http("503 Service Unavailable"), None),
        (ResetError, None),
    ],
    ids=["old", "busy", "redirect", "away", "reset"],
)
def test_a_refusal_has_its_words(answer, expected):
    """Each says what it is; a redirection is never followed: the token is for one place."""
    with (
        raw_server(replay(answer)) as server,
        pytest.raises((KoreError, ServerLostError)) as refused,
        answering(server.url + "/x", "secret"),
    ):
        pass
    assert getattr(refused.value, "code", None) == expected
    assert len(server.seen) == 1
