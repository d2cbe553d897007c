from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest


@pytest.fixture
def one_answer():
    """Start a server that gives one answer and closes, or drips on for ever; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve(answer: bytes, drip: bytes) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer)
            while drip and not over.is_set():
                connection.sendall(drip)
                time.sleep(0.01)

    def start(answer: bytes, drip: bytes = b"") -> str:
        threading.Thread(target=serve, args=(answer, drip), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/jwks"

    yield start
    over.set()
    listener.close()
