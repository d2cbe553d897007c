"""Archives for tests: good ones, and the raw material of bad ones."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from kore.service.backups.archives import Packer
from kore.service.backups.manifest import Manifest
from kore.service.db.models import now

TAR = {"Content-Type": "application/x-tar"}
END = bytes(1024)


def tar_of(
    files: Mapping[str, bytes], *, mtime: float = 0, kind: int = tarfile.PAX_FORMAT
) -> bytes:
    """Return an archive with files; a name that ends in ``/`` is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.removesuffix("/"))
            info.mtime = mtime
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def block(
    name: bytes = b"a.txt", *, size: bytes | int = 0, kind: bytes = b"0", **fields: bytes
) -> bytes:
    """Return one header block with a right checksum, whatever else is wrong with it."""
    octal = size if isinstance(size, bytes) else b"%011o\0" % size
    head = bytearray(512)
    for start, value in (
        (0, name[:100]),
        (100, fields.get("mode", b"0000644\0")),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, octal),
        (136, fields.get("mtime", b"00000000000\0")),
        (156, kind),
        (157, fields.get("linkname", b"")),
        (257, fields.get("magic", b"ustar\x0000")),
        (329, fields.get("devmajor", b"0000000\0")),
        (337, b"0000000\0"),
        (345, fields.get("prefix", b"")),
    ):
        head[start : start + len(value)] = value
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def member(name: bytes = b"a.txt", content: bytes = b"", **fields: bytes) -> bytes:
    """Return a file's header and content, padded."""
    return block(name, size=len(content), **fields) + padded(content)


def extended(records: Mapping[str, bytes], *, raw: bytes | None = None) -> bytes:
    """Return an extended header (pax) with records, or with ``raw`` in their place."""
    body = raw if raw is not None else b"".join(_record(k, v) for k, v in records.items())
    return block(b"x", size=len(body), kind=b"x") + padded(body)


def padded(content: bytes) -> bytes:
    """Fill up to whole blocks."""
    return content + bytes(-len(content) % 512)


def pack_backup(
    content: Mapping[str, bytes], inner: tuple[str, ...] = (), /, **changes: Any
) -> bytes:
    """Return a backup with files and ``inner`` folders; ``changes`` replace manifest fields."""
    packer, pieces = Packer(), list[bytes]()
    for folder in inner:
        pieces += packer.pack_folder(folder)
    for path, text in content.items():
        pieces += packer.pack_file(path, len(text), [text])
    facts: dict[str, Any] = {
        "course": "c-" + "1" * 16,
        "title": "Algebra",
        "contents": "everything",
        "taken_at": now(),
        "taken_by": "u1",
        "taken_by_name": "Tess",
        "ananke": "1",
        "nbgrader": "0.9",
        "assignments": 1,
        "students": 0,
        "folders": packer.folders,
        "files": packer.files,
    }
    manifest = Manifest(**facts).model_dump(mode="json")
    for key, value in changes.items():
        manifest[key] = value(manifest[key]) if callable(value) else value
    pieces += packer.pack_end(json.dumps(manifest).encode())
    return b"".join(pieces)


def _record(key: str, value: bytes) -> bytes:
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest
