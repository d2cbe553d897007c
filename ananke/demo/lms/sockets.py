"""Answers that HTTP does not allow: a status line that is none, a connection that is reset."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_MARK = "ananke.lms.break"
BAD_STATUS_LINE = b"Fatal error: Uncaught TypeError: Unsupported operand\r\n\r\n"


def break_connection(kind: str) -> Response:
    """Make this request end in a broken connection: "reset" or "bad_status_line"."""
    request.environ[_MARK] = kind
    # 502 is what the log shows; it never goes out.
    return Response(status=502)


class BreakingConnections:
    """WSGI middleware that carries out what `break_connection` asked for.

    Raising ECONNRESET makes gunicorn and werkzeug drop the connection without a word.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hold the head of the answer back until it is known whether there is one."""
        held: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            held[:] = [status, headers, exc_info]
            return lambda _data: None

        body = self._app(environ, hold)
        kind = environ.get(_MARK)
        if kind is None:
            start_response(*held)
            return body
        connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
        if connection is not None:
            if kind == "bad_status_line":
                connection.sendall(BAD_STATUS_LINE)
            else:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # Werkzeug would go on reading from a connection that was to be kept.
            connection.shutdown(socket.SHUT_RD)
        raise ConnectionResetError(errno.ECONNRESET, "The demo's LMS was told to break this.")
