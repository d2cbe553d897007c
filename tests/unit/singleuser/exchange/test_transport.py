"""Requests to Kore: retries, refusals and verified downloads."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kore.singleuser.exchange import transport
from kore.singleuser.exchange.transport import RefusedError, Transport


class Kore:
    """Gives prepared answers, each a status and a body, and counts requests."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.requests = 0
        kore = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = kore.answers[min(kore.requests, len(kore.answers) - 1)]
                kore.requests += 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.transport = Transport(f"http://127.0.0.1:{self.server.server_port}", "token")


@pytest.fixture
def serve(monkeypatch) -> Iterator[Any]:
    """Start Kores with short pauses between retries."""
    monkeypatch.setattr(transport, "_MIN_PAUSE", 0.001)
    kores: list[Kore] = []

    def start(*answers: tuple[int, bytes]) -> Kore:
        kores.append(Kore(*answers))
        return kores[-1]

    yield start
    for kore in kores:
        kore.server.shutdown()
        kore.server.server_close()


def test_busy_statuses_are_retried(serve):
    """A restarting Kore is asked again until it answers."""
    kore = serve((503, b""), (502, b""), (200, b'{"courses": []}'))
    assert kore.transport.get_json("/courses", retry_seconds=20) == {"courses": []}
    assert kore.requests == 3


def test_the_retry_budget_ends(serve):
    """Without time for a retry, the last answer is the error."""
    kore = serve((503, b""))
    with pytest.raises(RefusedError, match="Kore answered 503"):
        kore.transport.get_json("/courses", retry_seconds=0)
    assert kore.requests == 1


def test_a_refusal_has_message_hint_and_code(serve):
    """Kore's message and hint are for people, its code for programs; it is not retried."""
    error = {"code": "not_found", "message": "Course not found.", "hint": "Check the course."}
    kore = serve((404, json.dumps({"error": error}).encode()))
    with pytest.raises(RefusedError, match=r"^Course not found\. Check the course\.$") as refused:
        kore.transport.get_json("/x", retry_seconds=20)
    assert refused.value.code == "not_found"
    assert kore.requests == 1


def test_an_answer_that_is_not_json_is_reported(serve):
    """A page that a proxy sends is not Kore's answer."""
    with pytest.raises(RefusedError, match="Cannot read"):
        serve((200, b"<html>")).transport.get_json("/x", retry_seconds=0)


def test_a_damaged_download_is_repeated(serve):
    """A download whose checksum is wrong is consumed again from the start."""
    content = b"x" * 200_000
    kore = serve((200, b"y" * 200_000), (200, content))
    seen: list[bytes] = []
    sha256 = hashlib.sha256(content).hexdigest()
    kore.transport.download("/x", sha256, lambda stream: seen.append(stream.read(10)))
    assert seen == [b"y" * 10, b"x" * 10]
    assert kore.requests == 2


def test_an_unreachable_kore_is_reported():
    """The message says that there is no connection."""
    with pytest.raises(RefusedError, match="Cannot reach Kore") as refused:
        Transport("http://127.0.0.1:9", "token").get_json("/x", retry_seconds=0)
    assert refused.value.code == "unreachable"
