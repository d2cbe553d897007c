"""Checks an archive while it streams by, without keeping it.

The form is the pax interchange format (POSIX.1-2024, pax, "ustar Interchange Format" and
"pax Extended Header"), uncompressed, with regular files and folders only. What this module
lets pass has one meaning: whatever two readers might take for different things (sizes given
twice, sparse files, links, GNU's extensions) is refused, so that a reader at the other end
finds exactly the files that were checked here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from kore.service.errors import TooLarge
from kore.service.exchange.tar_headers import (
    BLOCK,
    bad_archive,
    padding_of,
    parse_number,
    parse_path,
    parse_records,
)
from kore.service.settings import Limits
from kore.shared.messages import Message
from kore.shared.names import find_path_fault, twin_key

_MAX_HEADER = 16 * 1024
"""Bytes of one extended header. A path of 1024 bytes and a few times need far less."""
_MAX_PADDING = 64 * 1024
"""Bytes of zeros after the end. Writers fill up records of 10 KiB."""

_NUMBERS = {"mode": (100, 108), "uid": (108, 116), "gid": (116, 124), "mtime": (136, 148)}
_DEVICES = {"devmajor": (329, 337), "devminor": (337, 345)}
_KINDS = {
    b"1": "archive.link",
    b"2": "archive.link",
    b"3": "archive.device",
    b"4": "archive.device",
    b"6": "archive.pipe",
    b"S": "archive.sparse_file",
}


@dataclass(slots=True)
class Contents:
    """What an archive holds. ``notebooks`` are paths.

    ``content`` is a SHA-256 over names and contents of its files alone, so it is equal for
    equal work packed at different times.
    """

    notebooks: list[str] = field(default_factory=list)
    files: int = 0
    content: str = ""


class Inspector:
    """Checks an archive that comes in pieces of any size.

    Raises BadArchive or TooLarge as soon as something is wrong. Memory is bounded by the
    names of ``limits.files`` members and one extended header.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen = 0
        self._pending = bytearray()
        self._skip = 0
        """Bytes of a member's content, still to come."""
        self._pad = 0
        """Bytes of zeros up to the next block, still to come."""
        self._extended = 0
        """Bytes of an extended header with its padding, still to come."""
        self._extended_size = 0
        self._records: dict[str, str] | None = None
        self._zeros = 0
        """Blocks of zeros so far; two are the end."""
        self._padding = 0
        self._members = 0
        self._names: dict[str, tuple[str, bool]] = {}
        self._files: set[str] = set()
        self._digest = hashlib.sha256()
        self._contents = Contents()
        self._position = 0
        """Bytes that are understood: where the next member's header or content begins."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._seen += len(data)
        if self._seen > self._limits.submission:
            raise TooLarge("too_large.archive", limit=self._limits.submission)
        view = memoryview(data)
        while view:
            if self._zeros > 1:
                self._after_end(view)
                return
            if self._skip:
                take = view[: self._skip]
                self._content(take)
                self._skip -= len(take)
                self._position += len(take)
                view = view[len(take) :]
            else:
                view = self._collect(view)

    def finish(self) -> Contents:
        """Return what the archive holds. Raises BadArchive where it ended early."""
        if self._zeros <= 1:
            raise bad_archive("archive.ends_early")
        if not self._contents.files:
            raise bad_archive("archive.empty")
        self._contents.notebooks.sort()
        self._contents.content = self._digest.hexdigest()
        return self._contents

    def _collect(self, view: memoryview) -> memoryview:
        """Gather the next block, padding or extended header, and handle it when complete."""
        wanted = self._pad or self._extended or BLOCK
        take = view[: wanted - len(self._pending)]
        self._pending += take
        if len(self._pending) == wanted:
            complete, self._pending = bytes(self._pending), bytearray()
            self._position += wanted
            if self._pad:
                self._pad = 0
                if complete.strip(b"\0"):
                    raise bad_archive("archive.between_files")
            elif self._extended:
                self._extended = 0
                self._records = parse_records(complete, self._extended_size)
            else:
                self._block(complete)
        return view[len(take) :]

    def _after_end(self, view: memoryview) -> None:
        self._padding += len(view)
        if self._padding > _MAX_PADDING or bytes(view).strip(b"\0"):
            raise bad_archive("archive.goes_on")

    def _block(self, block: bytes) -> None:
        if not block.strip(b"\0"):
            if self._records is not None:
                raise bad_archive("archive.ends_in_file")
            self._zeros += 1
            return
        if self._zeros:
            raise bad_archive("archive.gap")
        if block[257:265] != b"ustar\x0000":
            raise bad_archive("archive.not_tar")
        if parse_number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
            raise bad_archive("archive.checksum")
        for name, (start, end) in {**_NUMBERS, **_DEVICES}.items():
            if parse_number(block[start:end]) is None:
                raise bad_archive("archive.no_number", field=name)
        size = parse_number(block[124:136])
        if size is None:
            raise bad_archive("archive.no_number", field="size")
        kind = block[156:157]
        if kind == b"x":
            self._begin_extended(size)
        else:
            self._member(block, kind, size)

    def _begin_extended(self, size: int) -> None:
        if self._records is not None:
            raise bad_archive("archive.extended_twice")
        if not 0 < size <= _MAX_HEADER:
            raise bad_archive("archive.extended_large")
        self._extended_size = size
        self._extended = size + padding_of(size)

    def _member(self, block: bytes, kind: bytes, size: int) -> None:
        records, self._records = self._records or {}, None
        path = records.get("path", "") or parse_path(block)
        if kind not in {b"0", b"5"}:
            raise bad_archive(_KINDS.get(kind, "archive.special"), file=path)
        if block[157:257].strip(b"\0"):
            raise bad_archive("archive.names_another", file=path)
        folder = kind == b"5"
        if folder and path.endswith("/"):
            path = path[:-1]
        if fault := self._find_fault(path):
            raise bad_archive("archive.bad_name", file=path, fault=fault)
        if folder and size:
            raise bad_archive("archive.folder_content", folder=path)
        self._members += 1
        if self._members > self._limits.files:
            raise TooLarge("too_large.archive_files", n=self._limits.files)
        if size > self._limits.file:
            raise TooLarge("too_large.archive_file", file=path, limit=self._limits.file)
        self._take_name(path, folder=folder)
        self._begin(path, kind, size, block)
        self._skip, self._pad = size, padding_of(size)
        if not folder:
            self._contents.files += 1
            if path.endswith(".ipynb"):
                self._contents.notebooks.append(path)

    def _find_fault(self, path: str) -> Message | None:
        return find_path_fault(path)

    def _begin(self, path: str, kind: bytes, size: int, header: bytes) -> None:  # noqa: ARG002
        """Note a member; its content follows."""
        self._digest.update(f"{len(path)}:{path}{kind.decode()}{size}:".encode())

    def _content(self, piece: memoryview) -> None:
        self._digest.update(piece)

    def _take_name(self, path: str, *, folder: bool) -> None:
        """Keep a name and its folders; refuse what some file system takes for the same."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            is_folder = folder or depth < len(parts)
            known = self._names.setdefault(twin_key(part), (part, is_folder))
            if known != (part, is_folder):
                raise bad_archive("archive.twins", file=part, other=known[0])
        if not folder:
            if path in self._files:
                raise bad_archive("archive.twice", file=path)
            self._files.add(path)
