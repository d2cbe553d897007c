"""The way out to an LMS: what is repeated, what is believed, what is bounded."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate

import pytest

from kore.service.lti.errors import RefusedError, StoppedError, UnavailableError
from kore.service.lti.http import Http, Patience
from kore.service.lti.throttle import Gate
from tests.support.rawserver import ResetError, http, raw_server, replay

# Quick to try again; what is silent or slow has a patience of its own below.
QUICK = Patience(connect=10, read=10, answer=30, tries=4, first_wait=0.01, budget=60)
OK = http("200 OK", b"{}")


def ask(server, **options):
    return Http(patience=QUICK).request("GET", server.url + "/x", **options)


def test_an_answer_comes_as_it_is():
    """Status, reason, headers and body; JSON whatever it is labelled."""
    body = b'{"a": 1}'
    with raw_server(replay(http("201 Made", body, {"Content-Type": "text/html"}))) as server:
        answer = ask(server, bearer="secret")
    assert (answer.status, answer.reason, answer.json()) == (201, "Made", {"a": 1})
    assert answer.ok
    assert not answer.uncertain
    assert server.seen[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    "answer", [OK, http("200 OK"), [b"HTTP/1.1 204 No Content\r\n\r\n"], http("409 No", b"[]")]
)
def test_connections_are_kept(answer):
    """Many requests, one connection, with a body in the answer or none."""
    with raw_server(replay(answer)) as server:
        way = Http(patience=QUICK)
        for _ in range(5):
            way.request("POST", server.url, body=b"x")
    assert server.connections == 1


@pytest.mark.parametrize(
    ("failure", "uncertain"),
    [
        (http("429 Too Many Requests"), False),
        (http("403 Forbidden (Rate Limit Exceeded)"), False),
        (http("403 Forbidden", b"403 Forbidden (Rate Limit Exceeded)"), False),
        (http("403 Forbidden", headers={"Retry-After": "0"}), False),
        (http("503 Service Unavailable"), True),
        (http("502 Bad Gateway"), True),
        (http("500 Internal Server Error"), True),
        (ResetError, True),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{}"], True),
    ],
)
def test_what_may_pass_is_tried_again(failure, uncertain):
    """And it is known whether the first try may have had its effect."""
    with raw_server(replay(failure, OK)) as server:
        answer = ask(server)
    assert (answer.status, answer.uncertain, len(server.seen)) == (200, uncertain, 2)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
def test_what_will_not_pass_is_final(status):
    """A refusal is asked for once; redirects are not followed."""
    with raw_server(replay(http(f"{status} No", headers={"Location": "/y"}))) as server:
        assert ask(server).status == status
    assert len(server.seen) == 1


def test_an_error_of_the_lms_is_asked_for_twice():
    """500 may be a locked grade: one repetition, and then it is the answer."""
    with raw_server(replay(http("500 Locked"))) as server:
        assert (ask(server).status, len(server.seen)) == (500, 2)


@pytest.mark.parametrize(
    "failure", [http("503 No"), http("429 No", headers={"Retry-After": "0"}), ResetError]
)
def test_patience_ends(failure):
    """So many tries, then words."""
    with raw_server(replay(failure)) as server, pytest.raises(UnavailableError):
        ask(server)
    assert len(server.seen) == QUICK.tries


def test_nobody_there():
    """A refused connection is no uncertainty: nothing was asked."""
    with raw_server(replay(OK)) as server:
        pass
    with pytest.raises(UnavailableError, match="cannot be reached") as caught:
        ask(server)
    assert not caught.value.uncertain


@pytest.mark.parametrize("url", ["http://", "ftp://lms/x", "http://a..b/", "http://[::1", "x"])
def test_an_unusable_address_is_words(url):
    """Whatever an LMS gives as an address ends in words."""
    with pytest.raises((RefusedError, UnavailableError)):
        Http(patience=QUICK).request("GET", url)


@pytest.mark.parametrize(
    "line", [b"Fatal error: x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0\r\n\r\n"]
)
def test_an_answer_that_is_not_http_is_a_refusal(line):
    """It is not repeated: the same request would break the LMS again."""
    with raw_server(replay([line])) as server, pytest.raises(RefusedError, match="not HTTP"):
        ask(server)
    assert len(server.seen) == 1


def test_an_endless_answer_is_cut():
    """A body has a size."""

    def endless(_request):
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        while True:
            yield b"x" * 65536

    with raw_server(endless) as server, pytest.raises(RefusedError, match="too long"):
        ask(server)


def test_an_answer_in_drops_is_cut():
    """A body has its time, however alive the connection is."""

    def drops(_request):
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        for _ in range(100):
            time.sleep(0.1)
            yield b"x"

    with raw_server(drops) as server, pytest.raises(UnavailableError, match="finish its answer"):
        Http(patience=Patience(read=5, answer=0.5, tries=1)).request("GET", server.url)


def test_silence_is_cut():
    """An LMS that does not answer is not waited for for ever."""

    def silent(_request):
        time.sleep(5)
        return []

    with raw_server(silent) as server, pytest.raises(UnavailableError, match="in time") as caught:
        Http(patience=Patience(read=0.1, tries=2, first_wait=0.01)).request("GET", server.url)
    assert caught.value.uncertain


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form):
    """In both of its forms."""

    def busy_at_first(_request):
        if len(server.seen) > 1:
            return OK
        value = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
        return http("429 Slow down", headers={"Retry-After": value})

    with raw_server(busy_at_first) as server:
        began = time.monotonic()
        assert ask(server).ok
    assert 0.9 <= time.monotonic() - began < 10


@pytest.mark.parametrize("value", ["-1", "x", "", "nan", "1e9", "²"])
def test_an_odd_retry_after_is_none(value):
    """Then our own back-off holds."""
    busy = http("503 No", headers={"Retry-After": value})
    with raw_server(replay(busy, OK)) as server:
        assert ask(server).ok


def test_a_wait_beyond_patience_is_words():
    """The LMS's wish is in the words, and is not waited for."""
    busy = http("503 No", headers={"Retry-After": "3600"})
    with (
        raw_server(replay(busy)) as server,
        pytest.raises(UnavailableError, match="wait 3600 seconds"),
    ):
        ask(server)
    assert len(server.seen) == 1


def test_stopping_ends_a_wait():
    """Whoever waits for an LMS can be called back."""
    stop = threading.Event()

    def busy(_request):
        threading.Timer(0.2, stop.set).start()
        return http("503 No", headers={"Retry-After": "40"})

    with raw_server(busy) as server:
        began = time.monotonic()
        with pytest.raises(StoppedError, match="was busy"):
            ask(server, stop=stop)
    assert time.monotonic() - began < 20


def test_cookies_are_not_kept():
    """No session of the LMS forms around a token."""
    with raw_server(replay(http("200 OK", b"", {"Set-Cookie": "a=b; Path=/"}))) as server:
        way = Http(patience=QUICK)
        way.request("GET", server.url)
        way.request("GET", server.url)
    assert "cookie" not in server.seen[1].headers


def test_no_password_file_is_used(tmp_path, monkeypatch):
    """A .netrc of the account does not replace the token, nor join a request without one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with raw_server(replay(OK)) as server:
        ask(server)
        ask(server, bearer="token")
    assert "authorization" not in server.seen[0].headers
    assert server.seen[1].headers["authorization"] == "Bearer token"


def test_an_lms_on_this_machine_needs_no_proxy(monkeypatch):
    """A proxy of the environment is for the outside."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with raw_server(replay(OK)) as server:
        assert ask(server).ok


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("400 Nicht möglich", b"[]", "Nicht möglich"),
        ("400 Bad", b'{"errors": {"type": "x", "message": "No such user"}}', "Bad No such user"),
        ("400 Bad", b'{"errors": [{"message": "A\\nB"}]}', "Bad A B"),
        ("400 Bad", b'{"title": "Odd", "detail": "The why"}', "Bad The why"),
        ("400 Bad", b'{"error": "x", "error_description": "Why"}', "Bad Why"),
        ("400 Bad", b"<html>" + b"x" * 999, "Bad"),
        ("400 Bad", b"[" * 100_000, "Bad"),
    ],
)
def test_the_words_of_a_refusal(status, body, words):
    """Reason phrase and message, in whichever form, on one line."""
    with raw_server(replay(http(status, body))) as server:
        assert ask(server).words() == words


def test_a_gate_lets_so_many_through():
    """No more at once than its limit, and all in the end."""
    gate, active, most = Gate(3), [], []
    lock, together = threading.Lock(), threading.Barrier(3)

    def pass_through():
        with gate.place():
            with lock:
                active.append(1)
                most.append(len(active))
            together.wait(30)
            # Time for a fourth one to come in.
            time.sleep(0.02)
            with lock:
                active.pop()

    threads = [threading.Thread(target=pass_through) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 3


def test_a_throttled_gate_narrows_and_widens_again():
    """One at a time after a complaint, more when none comes for long enough."""
    gate = Gate(2)
    began = time.monotonic()
    gate.throttle(0.05)
    stop = threading.Event()
    stop.set()
    with gate.place():
        assert time.monotonic() - began >= 0.05
        with pytest.raises(StoppedError), gate.place(stop):
            pass
    for _ in range(25):
        gate.content()
    with gate.place(), gate.place():
        pass
