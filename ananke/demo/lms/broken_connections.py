"""Answers that HTTP does not allow: an invalid status line, a reset connection."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ENVIRON_KEY = "ananke.lms.break"
BAD_STATUS_LINE = b"Fatal error: Uncaught TypeError: Unsupported operand\r\n\r\n"


def break_connection(kind: str) -> Response:
    """Make this request end in a broken connection: "reset" or "bad_status_line"."""
    request.environ[_ENVIRON_KEY] = kind
    # 502 appears in the log only; it is never sent.
    return Response(status=502)


class BreakingConnections:
    """WSGI middleware that carries out what `break_connection` asked for.

    Raising ECONNRESET makes gunicorn and werkzeug drop the connection without a message.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hold back the head of the answer until it is known whether there is one."""
        held: list[Any] = []

        def hold(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            held[:] = [status, headers, exc_info]
            return lambda _data: None

        body = self._app(environ, hold)
        kind = environ.get(_ENVIRON_KEY)
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
            # Otherwise werkzeug would continue to read from a kept connection.
            connection.shutdown(socket.SHUT_RD)
        raise ConnectionResetError(
            errno.ECONNRESET, "The demo's LMS was told to break this connection."
        )
