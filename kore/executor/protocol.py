"""The protocol of an execution: a request, the notebook's files, an answer.

A request is four bytes of length (big-endian) and JSON, then an uncompressed tar of the files
next to the notebook, then the end of the stream. The answer is JSON up to the end:
``cells`` and ``language_info``, or ``failed`` (the name of an error) and ``message``.
"""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import struct
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

SOCKET_VARIABLE = "KORE_EXECUTOR"
"""Environment variable of a course's programs: the executor's socket, ``@`` for an abstract
one; unset without an executor."""

MAX_REQUEST_BYTES = 128 * 2**20
"""A notebook with its settings."""
MAX_FILES, MAX_FILE_BYTES = 5_000, 2 * 2**30
"""The files next to a notebook, together."""
MAX_ANSWER_BYTES = 64 * 2**20
"""All outputs of a notebook."""
MAX_SECONDS = 4 * 3600
"""For one notebook, if its cells have no limit."""

_LENGTH = struct.Struct("!I")
_CHUNK = 2**16


class ProtocolError(Exception):
    """The other side broke the protocol, or a limit is exceeded. The message says which."""


class Stream(io.RawIOBase):
    """A socket as a stream, up to a deadline (``time.monotonic``) and to ``limit`` bytes read."""

    def __init__(self, connection: socket.socket, *, deadline: float, limit: int) -> None:
        self._connection, self._deadline, self._left = connection, deadline, limit

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def writable(self) -> bool:
        """Whether it can be written: always."""
        return True

    def _set_timeout(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def readinto(self, buffer: Any) -> int:
        """Read what has arrived."""
        self._set_timeout()
        size = self._connection.recv_into(buffer)
        self._left -= size
        if self._left < 0:
            raise ProtocolError("the other side sent more than is allowed")
        return size

    def write(self, data: Any) -> int:
        """Send all of it."""
        self._set_timeout()
        self._connection.sendall(data)
        return len(data)


def send_request(stream: BinaryIO, request: dict[str, Any], folder: Path) -> None:
    """Send a request and a folder's files. Raises ProtocolError if they are too large."""
    body = json.dumps(request).encode()
    if len(body) > MAX_REQUEST_BYTES:
        raise ProtocolError("the notebook is too large")
    stream.write(_LENGTH.pack(len(body)) + body)
    count = size = 0
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, file in _open_files(folder):
            with file:
                status = os.fstat(file.fileno())
                count, size = count + 1, size + status.st_size
                if count > MAX_FILES or size > MAX_FILE_BYTES:
                    raise ProtocolError("the files next to the notebook are too many or too large")
                member = tarfile.TarInfo(name)
                member.size, member.mtime = status.st_size, status.st_mtime
                member.mode = 0o700 if status.st_mode & stat.S_IXUSR else 0o600
                archive.addfile(member, file)


def _open_files(folder: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Open the regular files in a folder; skip links and special files."""
    for path, folders, names, descriptor in os.fwalk(folder):
        folders.sort()
        for name in sorted(names):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            try:
                file = os.fdopen(os.open(name, flags, dir_fd=descriptor), "rb")
            except OSError:
                continue
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.close()
                continue
            yield str(Path(path, name).relative_to(folder)), file


def receive_request(stream: BinaryIO, folder: Path) -> dict[str, Any]:
    """Return a request that was sent, and write its files to a folder. Raises ProtocolError."""
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    if length > MAX_REQUEST_BYTES:
        raise ProtocolError("the request is too large")
    request = json.loads(_read_exactly(stream, length))
    count = size = 0
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            count, size = count + 1, size + member.size
            if count > MAX_FILES or size > MAX_FILE_BYTES:
                raise ProtocolError("the files next to the notebook are too many or too large")
            # A file name that this system cannot have is no reason to fail.
            with suppress(tarfile.FilterError, OSError):
                archive.extract(member, folder, filter="data")
    if not isinstance(request, dict):
        raise ProtocolError("the request is not a JSON object")
    return request


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(min(size, _CHUNK))
        if not part:
            raise ProtocolError("the request is incomplete")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def peer_uid(connection: socket.socket) -> int:
    """Return the UID of the process at the other end of a Unix socket: unix(7)."""
    credentials = struct.Struct("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    uid: int = credentials.unpack(raw)[1]
    return uid


def socket_address(name: str) -> str:
    """Return the address of a socket that ``KORE_EXECUTOR`` names."""
    return "\0" + name[1:] if name.startswith("@") else name
