r"""A server whose answers are bytes, to say what no HTTP server would.

with raw_server(lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as server:
    ...
"""

from __future__ import annotations

import io
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class RawServer:
    """The server's address, and what it saw."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0


class ResetError(Exception):
    """Raised by an answer: the connection is reset."""


Answer = Callable[[Seen], Iterable[bytes]]


def http(
    status: str = "200 OK", body: bytes = b"", headers: dict[str, str] | None = None
) -> list[bytes]:
    """A proper answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n" + body]


def replay(*answers: list[bytes] | type[ResetError]) -> Answer:
    """Answer with one after the other, and the last for ever."""
    left = list(answers)

    def answer(_request: Seen) -> Iterable[bytes]:
        following = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(following, type):
            raise following
        return following

    return answer


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """Serve on a free port; keeps connections open but after ``Connection: close``."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    over = threading.Event()

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            number = server.connections
            threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    def serve(connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as reader:
            try:
                while (request := _read(reader, number)) is not None:
                    server.seen.append(request)
                    last = False
                    for part in answer(request):
                        connection.sendall(part)
                        last = last or b"\r\nConnection: close\r\n" in part
                        if over.is_set():
                            return
                    if last:
                        return
            except ResetError:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _read(reader: io.BufferedReader, number: int) -> Seen | None:
    line = reader.readline().decode("latin-1")
    if not line:
        return None
    method, path, _ = line.split(" ", 2)
    headers = {}
    while (line := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0"))) or b""
    return Seen(method, path, headers, body, number)
