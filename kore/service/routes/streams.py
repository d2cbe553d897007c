"""Archives on their way in and out, in pieces: none is ever in memory as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from typing import Any, Protocol, TypeVar

from flask import Response, request
from flask_openapi3 import RawModel
from werkzeug.wsgi import wrap_file

from kore.service.auth.guards import caller, services
from kore.service.db.models import Stored
from kore.service.errors import KoreError
from kore.service.exchange.archives import in_words, too_large

TAR, BYTES = "application/x-tar", "application/octet-stream"
ARCHIVE: dict[str, Any] = {"content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}
View = TypeVar("View", bound=Callable[..., Any])

_PIECE = 256 * 1024
_SILENCE_SECONDS = 30
_SLOWEST = 16 * 1024
"""Bytes a second, on the average, below which a client only holds a thread."""
_AT_ONCE = 4
_MOST_DRAINED, _DRAIN_SECONDS, _BUSY_DRAIN_SECONDS = 10**9, 10, 1
_REFUSED, _ENDS = 400, "wsgi.input_terminated"
_MOST_REST, _REST_SECONDS = 64 * 10**6, 5

_held: dict[str, int] = {}
_lock = threading.Lock()


class TarBody(RawModel):
    """An uncompressed tar archive in pax format, in the body."""

    mimetypes = [TAR]  # noqa: RUF012


class BackupBody(RawModel):
    """A backup's archive, as it was downloaded, in the body."""

    mimetypes = [BYTES, TAR]  # noqa: RUF012


def takes_archives(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Raise the application's bound on bodies, for archives.

    What is over the limit is refused by ``incoming``: in words, and only to those who may
    send at all.
    """
    if request.mimetype == TAR:
        limit = services().settings.limits.submission
        request.max_content_length = max(limit, request.content_length or 0) + 1


def takes_backups(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Raise the application's bound on bodies, for backups."""
    if request.mimetype in {BYTES, TAR}:
        limit = services().settings.limits.backups
        request.max_content_length = max(limit, request.content_length or 0) + 1


@contextmanager
def incoming_backup(most: int, error: KoreError) -> Iterator[Iterator[bytes]]:
    """Yield the pieces of the backup in the request's body; ``error`` is for over ``most``."""
    if request.mimetype not in {BYTES, TAR}:
        raise KoreError(
            415,
            "not_an_archive",
            f"A backup is sent as {BYTES}.",
            "Send the archive as it was downloaded, with this Content-Type.",
        )
    with _received(most, error) as pieces:
        yield pieces


@contextmanager
def incoming() -> Iterator[Iterator[bytes]]:
    """Yield the pieces of the archive in the request's body.

    Where the block raises what the client shall be told, the rest of the body is read
    first: a client that still sends would never see the answer.
    """
    if request.mimetype != TAR:
        raise KoreError(
            415,
            "not_an_archive",
            f"Work is sent as {TAR}.",
            "Send an uncompressed tar archive, with this Content-Type.",
        )
    limit = services().settings.limits.submission
    error = too_large("The work as a whole", in_words(limit), "KORE_LIMIT_SUBMISSION")
    with _received(limit, error) as pieces:
        yield pieces


@contextmanager
def _received(most: int, error: KoreError) -> Iterator[Iterator[bytes]]:
    _lose_patience()
    try:
        with _place(caller().name):
            if (request.content_length or 0) > most:
                raise error
            yield _pieces()
    except KoreError as raised:
        if raised.code != "broken_upload":
            _drain(_BUSY_DRAIN_SECONDS if raised.code == "busy" else _DRAIN_SECONDS)
        raise


class _Held(BufferedReader):
    """An open archive that gives its place back when it is closed.

    The server closes it: what streams past the application is closed without the response.
    """

    def __init__(self, handle: BufferedReader, place: ExitStack) -> None:
        self._place = place
        super().__init__(handle.detach())

    def close(self) -> None:
        """Close the file, then let the next one in."""
        try:
            super().close()
        finally:
            self._place.close()


class Sized(Protocol):
    """The row of an archive: ``size`` is in bytes."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def sha256(self) -> str:
        """Its checksum."""


def outgoing(handle: BufferedReader, row: Sized | Stored, name: str) -> Response:
    """Return the answer that streams an archive; a client may ask for the rest of one."""
    place = ExitStack()
    try:
        place.enter_context(_place(caller().name))
    except KoreError:
        handle.close()
        raise
    held = _Held(handle, place)
    _lose_patience()
    response = Response(wrap_file(request.environ, held), mimetype=TAR, direct_passthrough=True)
    response.content_length = row.size
    response.set_etag(row.sha256)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.tar")
    response.make_conditional(request.environ, accept_ranges=True, complete_length=row.size)
    return response


def _pieces() -> Iterator[bytes]:
    expected, received, began = request.content_length, 0, time.monotonic()
    while True:
        try:
            piece = request.stream.read(_PIECE)
        except Exception as error:  # the server's and the socket's own, of many kinds
            raise _broken() from error
        if not piece:
            break
        received += len(piece)
        elapsed = time.monotonic() - began
        if elapsed > _SILENCE_SECONDS and received < elapsed * _SLOWEST:
            raise KoreError(
                408,
                "broken_upload",
                "The upload was too slow; nothing was stored.",
                "Send your work again, over a better connection.",
            )
        yield piece
    if expected is not None and received != expected:
        raise _broken()


def _broken() -> KoreError:
    return KoreError(
        400,
        "broken_upload",
        "The upload ended early; nothing was stored.",
        "Send your work again.",
    )


@contextmanager
def _place(name: str) -> Iterator[None]:
    """Hold one of the server's threads for an archive.

    Some are left for everybody else, however many send or fetch work; and one caller gets
    only a few.
    """
    most = max(1, services().settings.threads * 2 // 3)
    with _lock:
        mine = _held.get(name, 0)
        if mine >= _AT_ONCE or sum(_held.values()) >= most:
            raise KoreError(
                429 if mine >= _AT_ONCE else 503,
                "busy",
                "Many archives are on their way at this moment.",
                "Nothing is lost: send or fetch this one again in a few seconds.",
            )
        _held[name] = mine + 1
    try:
        yield
    finally:
        with _lock:
            _held[name] -= 1
            if not _held[name]:
                del _held[name]


def _lose_patience(seconds: float = _SILENCE_SECONDS) -> None:
    """Give up on a client that neither sends nor takes anything, where the server lets us.

    The server takes this back itself before the connection's next request.
    """
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(seconds)


def read_to_the_end(response: Response) -> Response:
    """Read what a refusal left of the request's body; return the response.

    The hub's proxy says 503 in the place of an answer that comes while it still sends. Only
    where the server marks the end of a body: to read beyond it would wait for ever.
    """
    if response.status_code >= _REFUSED and request.environ.get(_ENDS):
        _lose_patience(_REST_SECONDS)
        source, left = request.environ["wsgi.input"], _MOST_REST
        deadline = time.monotonic() + _REST_SECONDS
        with suppress(Exception):  # it was to be thrown away
            while left > 0 and time.monotonic() < deadline and (piece := source.read(_PIECE)):
                left -= len(piece)
    return response


def _drain(seconds: float) -> None:
    deadline, drained = time.monotonic() + seconds, 0
    try:
        while drained < _MOST_DRAINED and time.monotonic() < deadline:
            piece = request.stream.read(_PIECE)
            if not piece:
                return
            drained += len(piece)
    except Exception:  # noqa: BLE001  it was to be thrown away
        return
