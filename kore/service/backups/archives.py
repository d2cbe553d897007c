"""The archives of backups: written in one go, and checked before anything of them is used.

The form is that of ``kore.service.exchange.archives``, whose checks serve here too: an
uncompressed tar archive in pax format, with plain files and folders only, under names that
mean one thing on every system. It is not compressed, so no small archive becomes a large one,
and a single file is read without the rest.
"""

from __future__ import annotations

import hashlib
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kore.service.backups import manifest
from kore.service.backups.manifest import File, Manifest, Member, bad_backup
from kore.service.errors import BadArchive, Changed, TooLarge
from kore.service.exchange.archives import Contents, Inspector
from kore.service.exchange.tar_headers import BLOCK
from kore.service.settings import UNLIMITED, Limits
from kore.shared.messages import Message, message
from kore.shared.names import MAX_BYTES_PATH, find_path_fault

MAX_FILE = 8 * 2**30 - 1
"""Bytes of one file: what a header's field holds."""
_GZIP, _ZIP, _XZ, _ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"
_MAX_PLAIN = 100
"""Characters of a name that fit into a plain header."""
_ENDING = b"\0" * (2 * BLOCK)


def find_fault(path: str) -> Message | None:
    """Return what is wrong with a path in a backup, as the predicate of a sentence.

    Decomposed Unicode is in the names of some systems' files, and is kept as it is.
    """
    if fault := find_path_fault(unicodedata.normalize("NFC", path)):
        return fault
    if len(path.encode()) > MAX_BYTES_PATH:
        return message("name_fault.bytes", n=MAX_BYTES_PATH)
    return None


@dataclass(slots=True)
class Packer:
    """Makes the pieces of an archive, and collects what its manifest will say."""

    files: list[File] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    position: int = 0

    def pack_folder(self, path: str) -> Iterator[bytes]:
        """Yield a folder."""
        self.folders.append(path)
        yield self._header(path + "/", tarfile.DIRTYPE, 0, 0o755, 0)

    def pack_file(
        self, path: str, size: int, pieces: Iterable[bytes], *, runs: bool = False, mtime: float = 0
    ) -> Iterator[bytes]:
        """Yield a file of exactly ``size`` bytes. Raises Changed where it has fewer."""
        before = self._header(path, tarfile.REGTYPE, size, 0o755 if runs else 0o644, mtime)
        at, left, digest = self.position, size, hashlib.sha256()
        for piece in pieces:
            take = piece[:left]
            left -= len(take)
            digest.update(take)
            self.position += len(take)
            if not left:
                before += take
                break
            yield before + take
            before = b""
        if left:
            raise Changed("changed_meanwhile.file", file=path)
        padding = b"\0" * (-size % BLOCK)
        self.position += len(padding)
        yield before + padding
        self.files.append(File(path=path, size=size, at=at, sha256=digest.hexdigest(), runs=runs))

    def pack_end(self, text: bytes) -> Iterator[bytes]:
        """Yield the manifest and the archive's end."""
        yield self._header(manifest.NAME, tarfile.REGTYPE, len(text), 0o644, 0)
        yield text + b"\0" * (-len(text) % BLOCK) + _ENDING

    def _header(self, path: str, kind: bytes, size: int, mode: int, mtime: float) -> bytes:
        seconds = max(0, int(mtime))
        if len(path) <= _MAX_PLAIN and path.isascii():
            header = _make_plain_header(path, kind, size, mode, seconds)
        else:
            entry = tarfile.TarInfo(path)
            entry.type, entry.size, entry.mode, entry.mtime = kind, size, mode, seconds
            header = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        self.position += len(header)
        return header


def _make_plain_header(path: str, kind: bytes, size: int, mode: int, mtime: int) -> bytes:
    """Return the header that ``tarfile`` makes of a short name, in a fraction of its time."""
    numbers = f"{mode:07o}\0{0:07o}\0{0:07o}\0{size:011o}\0{mtime:011o}\0".encode()
    start, rest = path.encode().ljust(100, b"\0") + numbers, kind + bytes(100) + b"ustar\x0000"
    total = sum(start) + sum(rest) + 8 * 32
    return b"".join((start, f"{total:06o}\0 ".encode(), rest)).ljust(BLOCK, b"\0")


@dataclass(slots=True)
class BackupContents(Contents):
    """The contents of a checked archive, with its manifest."""

    manifest: Manifest | None = None
    manifest_at: int = 0


class BackupInspector(Inspector):
    """Checks an archive that comes from outside, in pieces; raises BadArchive for a bad one."""

    def __init__(self, limits: Limits) -> None:  # noqa: ARG002
        super().__init__(UNLIMITED)
        self._size = 0
        self._found: list[Member] = []
        self._current: Member | None = None
        self._manifest: bytearray | None = None
        self._manifest_at = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        first = not self._size
        self._size += len(data)
        if first and data.startswith((_GZIP, _ZIP, _XZ, _ZSTD)):
            raise bad_backup("archive.compressed")
        with _reporting_bad_backup():
            super().feed(data)

    def finish(self) -> BackupContents:
        """Return what the archive holds. Raises BadArchive where it is not a whole backup."""
        if self._manifest is None:
            if self._zeros > 1:
                raise bad_backup("archive.no_manifest")
            raise bad_backup("archive.ends_early")
        with _reporting_bad_backup():
            contents = super().finish()
        self._close()
        parsed = manifest.parse_manifest(bytes(self._manifest))
        manifest.check_members(parsed, self._found)
        return BackupContents(contents.notebooks, contents.files, "", parsed, self._manifest_at)

    def _find_fault(self, path: str) -> Message | None:
        return find_fault(path)

    def _begin(self, path: str, kind: bytes, size: int, header: bytes) -> None:
        self._close()
        if self._manifest is not None:
            raise bad_backup("archive.after_manifest")
        if path == manifest.NAME and kind == b"0":
            if size > manifest.MAX_BYTES:
                raise bad_backup("backup.manifest_large")
            self._manifest, self._manifest_at = bytearray(), self._position
            return
        runs = bool(int(header[100:108].strip(b" \0") or b"0", 8) & 0o111)
        self._digest = hashlib.sha256()
        self._current = Member(path, size, self._position, "", runs and kind == b"0")
        if kind == b"5":
            self._found.append(self._current)
            self._current = None

    def _content(self, piece: memoryview) -> None:
        if self._manifest is not None:
            self._manifest += piece
        else:
            self._digest.update(piece)

    def _close(self) -> None:
        """Add the file that ends here to those that were found."""
        one, self._current = self._current, None
        if one is not None:
            sha256 = self._digest.hexdigest()
            self._found.append(Member(one.path, one.size, one.at, sha256, one.runs))


class TrustingInspector(Inspector):
    """Passes an archive that Kore itself is packing."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    def finish(self) -> Contents:
        """Return nothing: the packer knows what is in it."""
        return Contents()


@contextmanager
def _reporting_bad_backup() -> Iterator[None]:
    """Raise what is wrong with an archive as what is wrong with a backup."""
    try:
        yield
    except BadArchive as error:
        raise bad_backup(error.message.params["reason"]) from error
    except TooLarge as error:
        raise bad_backup(error.message) from error
