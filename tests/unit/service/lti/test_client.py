"""The HTTP client for a platform: retries, time and size limits."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate

import pytest

from kore.service.lti.client import PlatformClient, RetryPolicy
from kore.service.lti.errors import RefusedError, StoppedError, UnavailableError
from kore.shared.messages import message
from tests.support.raw_server import ResetError, http, raw_server, replay

# Short waits; tests of slow answers have limits of their own.
QUICK = RetryPolicy(connect=10, read=10, answer=30, max_tries=4, first_wait=0.01, budget=60)


OK = http("200 OK", b"{}")


def ask(server, **options):
    return PlatformClient(policy=QUICK).request("GET", server.url + "/x", **options)


def test_answer_is_returned_unchanged():
    """Status, reason, headers and body are returned; JSON is read whatever its label."""
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
    """Many requests use one connection, with or without a body in the answer."""
    with raw_server(replay(answer)) as server:
        client = PlatformClient(policy=QUICK)
        for _ in range(5):
            client.request("POST", server.url, body=b"x")
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
def test_transient_fault_is_retried(failure, uncertain):
    """A transient fault is retried; ``uncertain`` says whether the try may have arrived."""
    with raw_server(replay(failure, OK)) as server:
        answer = ask(server)
    assert (answer.status, answer.uncertain, len(server.seen)) == (200, uncertain, 2)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 422])
def test_refusal_is_final(status):
    """A refusal is not retried; redirects are not followed."""
    with raw_server(replay(http(f"{status} No", headers={"Location": "/y"}))) as server:
        assert ask(server).status == status
    assert len(server.seen) == 1


def test_error_500_is_retried_once():
    """500 may mean a locked grade: after one retry it is the answer."""
    with raw_server(replay(http("500 Locked"))) as server:
        assert (ask(server).status, len(server.seen)) == (500, 2)


@pytest.mark.parametrize(
    "failure", [http("503 No"), http("429 No", headers={"Retry-After": "0"}), ResetError]
)
def test_tries_are_limited(failure):
    """After the last try the LMS is unavailable."""
    with raw_server(replay(failure)) as server, pytest.raises(UnavailableError):
        ask(server)
    assert len(server.seen) == QUICK.max_tries


def test_refused_connection_is_not_uncertain():
    """After a refused connection it is certain that the request did not arrive."""
    with raw_server(replay(OK)) as server:
        pass
    with pytest.raises(UnavailableError) as caught:
        ask(server)
    assert caught.value.code == "lms.unreachable"
    assert not caught.value.uncertain


@pytest.mark.parametrize("url", ["http://", "ftp://lms/x", "http://a..b/", "http://[::1", "x"])
def test_unusable_address_is_an_lti_error(url):
    """Any address that an LMS gives ends in an error of this package."""
    with pytest.raises((RefusedError, UnavailableError)):
        PlatformClient(policy=QUICK).request("GET", url)


@pytest.mark.parametrize(
    "line", [b"Fatal error: x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0\r\n\r\n"]
)
def test_answer_that_is_not_http_is_a_refusal(line):
    """An answer that is not HTTP is not retried: the request would break the LMS again."""
    with raw_server(replay([line])) as server, pytest.raises(RefusedError) as caught:
        ask(server)
    assert caught.value.code == "lms.not_http"
    assert len(server.seen) == 1


def test_size_of_an_answer_is_limited():
    """An endless body is refused."""

    def endless(_request):
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        while True:
            yield b"x" * 65536

    with raw_server(endless) as server, pytest.raises(RefusedError) as caught:
        ask(server)
    assert caught.value.code == "lms.answer_too_long"


def test_time_of_an_answer_is_limited():
    """A body that arrives in drops times out although the connection is alive."""

    def drops(_request):
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        for _ in range(100):
            time.sleep(0.1)
            yield b"x"

    client = PlatformClient(policy=RetryPolicy(read=5, answer=0.5, max_tries=1))
    with raw_server(drops) as server, pytest.raises(UnavailableError) as caught:
        client.request("GET", server.url)
    assert caught.value.code == "lms.answer_timeout"


def test_no_answer_times_out():
    """An LMS that does not answer is unavailable after the last try."""

    def silent(_request):
        time.sleep(5)
        return []

    with raw_server(silent) as server, pytest.raises(UnavailableError) as caught:
        PlatformClient(policy=RetryPolicy(read=0.1, max_tries=2, first_wait=0.01)).request(
            "GET", server.url
        )
    assert (caught.value.code, caught.value.uncertain) == ("lms.timeout", True)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form):
    """The client waits as long as Retry-After asks, in both of its forms."""

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
def test_invalid_retry_after_is_ignored(value):
    """With an invalid Retry-After the client's own back-off applies."""
    busy = http("503 No", headers={"Retry-After": value})
    with raw_server(replay(busy, OK)) as server:
        assert ask(server).ok


def test_too_long_retry_after_is_not_waited_for():
    """A wait above the maximum fails at once, and the error names it."""
    busy = http("503 No", headers={"Retry-After": "3600"})
    with (
        raw_server(replay(busy)) as server,
        pytest.raises(UnavailableError) as caught,
    ):
        ask(server)
    overloaded = message("lms.overloaded", status=503)
    assert caught.value.message == message("lms.wait_too_long", reason=overloaded, n=3600)
    assert len(server.seen) == 1


def test_stop_ends_a_wait():
    """Setting ``stop`` ends the wait for an LMS."""
    stop = threading.Event()

    def busy(_request):
        threading.Timer(0.2, stop.set).start()
        return http("503 No", headers={"Retry-After": "40"})

    with raw_server(busy) as server:
        began = time.monotonic()
        with pytest.raises(StoppedError):
            ask(server, stop=stop)
    assert time.monotonic() - began < 20


def test_cookies_are_not_kept():
    """Cookies of an LMS are not sent back."""
    with raw_server(replay(http("200 OK", b"", {"Set-Cookie": "a=b; Path=/"}))) as server:
        client = PlatformClient(policy=QUICK)
        client.request("GET", server.url)
        client.request("GET", server.url)
    assert "cookie" not in server.seen[1].headers


def test_netrc_is_ignored(tmp_path, monkeypatch):
    """A .netrc neither replaces the token nor adds credentials to a request without one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with raw_server(replay(OK)) as server:
        ask(server)
        ask(server, bearer="token")
    assert "authorization" not in server.seen[0].headers
    assert server.seen[1].headers["authorization"] == "Bearer token"


def test_lms_on_this_machine_bypasses_the_proxy(monkeypatch):
    """The environment's proxy is not used for an LMS on this machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with raw_server(replay(OK)) as server:
        assert ask(server).ok


@pytest.mark.parametrize(
    ("status", "body", "said"),
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
def test_refusal_has_what_the_lms_said(status, body, said):
    """Reason phrase and error message, in any form, are on one line."""
    with raw_server(replay(http(status, body))) as server:
        assert ask(server).said == said
