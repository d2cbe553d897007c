"""Archives on their way in and out, in pieces: none is ever in memory as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from typing import Any, Protocol

from flask import Response, request
from flask_openapi3 import RawModel
from werkzeug.wsgi import wrap_file

from kore.service.auth.guards import caller, services
from kore.service.db.exchange_models import Stored
from kore.service.errors import (
    BadRequest,
    KoreError,
    Overloaded,
    TooLarge,
    TooManyRequests,
    TooSlow,
    UnsupportedType,
)

TAR, BYTES = "application/x-tar", "application/octet-stream"
ARCHIVE: dict[str, Any] = {"content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}

_PIECE = 256 * 1024
_IDLE_SECONDS = 30
_MIN_RATE = 16 * 1024
"""Bytes a second, on average, below which a client only holds a thread."""
_MAX_OF_ONE_CALLER = 4
_MAX_DRAINED, _DRAIN_SECONDS, _OVERLOADED_DRAIN_SECONDS = 10**9, 10, 1
_REFUSED, _MARKS_END = 400, "wsgi.input_terminated"
_MAX_REST, _REST_SECONDS = 64 * 10**6, 5

_in_use: dict[str, int] = {}
_lock = threading.Lock()


class UploadBroken(BadRequest):
    """The request's body ended before its end: there is nothing more to read."""


class TarBody(RawModel):
    """An uncompressed tar archive in pax format, in the body."""

    mimetypes = [TAR]  # noqa: RUF012


class BackupBody(RawModel):
    """A backup's archive, as it was downloaded, in the body."""

    mimetypes = [BYTES, TAR]  # noqa: RUF012


def allow_archives(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Raise the application's limit on bodies, for archives.

    ``receiving_archive`` refuses what is over the limit: with a message, and only to those
    who may send at all.
    """
    if request.mimetype == TAR:
        limit = services().settings.limits.submission
        request.max_content_length = max(limit, request.content_length or 0) + 1


def allow_backups(endpoint: str | None, values: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Raise the application's limit on bodies, for backups."""
    if request.mimetype in {BYTES, TAR}:
        limit = services().settings.limits.backups
        request.max_content_length = max(limit, request.content_length or 0) + 1


@contextmanager
def receiving_backup(limit: int, error: KoreError) -> Iterator[Iterator[bytes]]:
    """Yield the pieces of the backup in the request's body; raise ``error`` over ``limit``."""
    if request.mimetype not in {BYTES, TAR}:
        raise UnsupportedType("not_an_archive.backup", type=BYTES)
    with _receiving(limit, error) as pieces:
        yield pieces


@contextmanager
def receiving_archive() -> Iterator[Iterator[bytes]]:
    """Yield the pieces of the archive in the request's body.

    Where the block raises an error for the client, the rest of the body is read first: a
    client that is still sending would never see the answer.
    """
    if request.mimetype != TAR:
        raise UnsupportedType("not_an_archive", type=TAR)
    limit = services().settings.limits.submission
    with _receiving(limit, TooLarge("too_large.archive", limit=limit)) as pieces:
        yield pieces


@contextmanager
def _receiving(limit: int, error: KoreError) -> Iterator[Iterator[bytes]]:
    _set_idle_timeout()
    try:
        with _holding_slot(caller().name):
            if (request.content_length or 0) > limit:
                raise error
            yield _read_pieces()
    except (UploadBroken, TooSlow):
        raise
    except KoreError as raised:
        overloaded = isinstance(raised, Overloaded)
        _drain(_OVERLOADED_DRAIN_SECONDS if overloaded else _DRAIN_SECONDS)
        raise


class _SlotReader(BufferedReader):
    """An open archive that frees its slot when it is closed.

    The server closes it: what streams past the application is closed without the response.
    """

    def __init__(self, handle: BufferedReader, slot: ExitStack) -> None:
        self._slot = slot
        super().__init__(handle.detach())

    def close(self) -> None:
        """Close the file, then let the next one in."""
        try:
            super().close()
        finally:
            self._slot.close()


class Sized(Protocol):
    """The row of an archive: ``size`` is in bytes."""

    @property
    def size(self) -> int:
        """Its bytes."""

    @property
    def sha256(self) -> str:
        """Its checksum."""


def send_archive(handle: BufferedReader, row: Sized | Stored, name: str) -> Response:
    """Return the answer that streams an archive; a client may ask for the rest of one."""
    slot = ExitStack()
    try:
        slot.enter_context(_holding_slot(caller().name))
    except KoreError:
        handle.close()
        raise
    reader = _SlotReader(handle, slot)
    _set_idle_timeout()
    response = Response(wrap_file(request.environ, reader), mimetype=TAR, direct_passthrough=True)
    response.content_length = row.size
    response.set_etag(row.sha256)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.tar")
    response.make_conditional(request.environ, accept_ranges=True, complete_length=row.size)
    return response


def _read_pieces() -> Iterator[bytes]:
    expected, received, began = request.content_length, 0, time.monotonic()
    while True:
        try:
            piece = request.stream.read(_PIECE)
        except Exception as error:  # the server's and the socket's own, of many kinds
            raise UploadBroken("broken_upload") from error
        if not piece:
            break
        received += len(piece)
        elapsed = time.monotonic() - began
        if elapsed > _IDLE_SECONDS and received < elapsed * _MIN_RATE:
            raise TooSlow("broken_upload.slow")
        yield piece
    if expected is not None and received != expected:
        raise UploadBroken("broken_upload")


@contextmanager
def _holding_slot(name: str) -> Iterator[None]:
    """Hold one of the server's threads for an archive.

    Some are left for other requests, however many send or fetch work; and one caller gets
    only a few.
    """
    limit = max(1, services().settings.threads * 2 // 3)
    with _lock:
        own = _in_use.get(name, 0)
        if own >= _MAX_OF_ONE_CALLER:
            raise TooManyRequests("busy.own_transfers")
        if sum(_in_use.values()) >= limit:
            raise Overloaded("busy.transfers")
        _in_use[name] = own + 1
    try:
        yield
    finally:
        with _lock:
            _in_use[name] -= 1
            if not _in_use[name]:
                del _in_use[name]


def _set_idle_timeout(seconds: float = _IDLE_SECONDS) -> None:
    """End the connection of a client that neither sends nor takes anything, if the server can.

    The server takes this back itself before the connection's next request.
    """
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(seconds)


def drain_refused(response: Response) -> Response:
    """Read what a refusal left of the request's body; return the response.

    The hub's proxy says 503 instead of passing on an answer that comes while it is still
    sending. Only where the server marks the end of a body: reading beyond it would wait for
    ever.
    """
    if response.status_code >= _REFUSED and request.environ.get(_MARKS_END):
        _set_idle_timeout(_REST_SECONDS)
        source, left = request.environ["wsgi.input"], _MAX_REST
        deadline = time.monotonic() + _REST_SECONDS
        with suppress(Exception):  # nobody needs it
            while left > 0 and time.monotonic() < deadline and (piece := source.read(_PIECE)):
                left -= len(piece)
    return response


def _drain(seconds: float) -> None:
    deadline, drained = time.monotonic() + seconds, 0
    try:
        while drained < _MAX_DRAINED and time.monotonic() < deadline:
            piece = request.stream.read(_PIECE)
            if not piece:
                return
            drained += len(piece)
    except Exception:  # noqa: BLE001  nobody needs it
        return
