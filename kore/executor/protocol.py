"""What the two sides of an execution say: a request, the notebook's files, an answer.

A request is four bytes of length (big-endian) and JSON, then an uncompressed tar of the files
beside the notebook, then the end of the stream. The answer is JSON up to the end.
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
one; not set where there is none."""

MOST_REQUEST = 128 * 2**20
"""Bytes of a notebook with its settings."""
MOST_FILES, MOST_FILE_BYTES = 5_000, 2 * 2**30
"""Of what lies beside a notebook."""
MOST_ANSWER = 64 * 2**20
"""Bytes of all outputs of a notebook."""
MOST_SECONDS = 4 * 3600
"""For one notebook, where no cell has a limit."""

_LENGTH = struct.Struct("!I")
_CHUNK = 2**16


class WireError(Exception):
    """What came is not what was agreed on; in words."""


class Stream(io.RawIOBase):
    """A socket's bytes, until a moment (``time.monotonic``) and, when read, up to a number."""

    def __init__(self, connection: socket.socket, *, until: float, most: int) -> None:
        self._connection, self._until, self._left = connection, until, most

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def _in_time(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def readinto(self, buffer: Any) -> int:
        """Read what has come."""
        self._in_time()
        size = self._connection.recv_into(buffer)
        self._left -= size
        if self._left < 0:
            raise WireError("more was sent than is taken")
        return size

    def write(self, data: Any) -> int:
        """Send all of it."""
        self._in_time()
        self._connection.sendall(data)
        return len(data)


def send_request(stream: BinaryIO, request: dict[str, Any], folder: Path) -> None:
    """Send a request and a folder's files. Raises WireError where that is too much."""
    body = json.dumps(request).encode()
    if len(body) > MOST_REQUEST:
        raise WireError("the notebook is too large to be run")
    stream.write(_LENGTH.pack(len(body)) + body)
    count = size = 0
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, file in _plain_files(folder):
            with file:
                about = os.fstat(file.fileno())
                count, size = count + 1, size + about.st_size
                if count > MOST_FILES or size > MOST_FILE_BYTES:
                    raise WireError("too many or too large files lie beside the notebook")
                member = tarfile.TarInfo(name)
                member.size, member.mtime = about.st_size, about.st_mtime
                member.mode = 0o700 if about.st_mode & stat.S_IXUSR else 0o600
                archive.addfile(member, file)


def _plain_files(folder: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Open the plain files in a folder; links and odd things are left out."""
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
    """Receive a request, and put its files into a folder."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    if length > MOST_REQUEST:
        raise WireError("the request is too large")
    request = json.loads(_exactly(stream, length))
    count = size = 0
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            count, size = count + 1, size + member.size
            if count > MOST_FILES or size > MOST_FILE_BYTES:
                raise WireError("too many or too large files lie beside the notebook")
            # Names that cannot be in a folder of this system are not worth a failure.
            with suppress(tarfile.FilterError, OSError):
                archive.extract(member, folder, filter="data")
    if not isinstance(request, dict):
        raise WireError("the request is no object")
    return request


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(min(size, _CHUNK))
        if not part:
            raise WireError("the request ends in the middle")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def peer(connection: socket.socket) -> int:
    """Return the number of the account at the other end of a Unix socket: unix(7)."""
    credentials = struct.Struct("3i")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    uid: int = credentials.unpack(raw)[1]
    return uid


def address(name: str) -> str:
    """Return a socket's address from its name in ``KORE_EXECUTOR``."""
    return "\0" + name[1:] if name.startswith("@") else name
