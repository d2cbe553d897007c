"""The archives of backups: written in one go, and checked before anything of them is used.

The form is that of ``kore.service.exchange.archives``, whose checks serve here too: an
uncompressed tar archive in pax format, with plain files and folders only, under names that
mean one thing on
every system. It is not compressed, so no small archive becomes a large one, and a single file
is read without the rest.
"""

from __future__ import annotations

import hashlib
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kore.service.backups import manifest
from kore.service.backups.manifest import File, Manifest, Member, bad_backup
from kore.service.errors import KoreError
from kore.service.exchange.archives import Contents, Inspector
from kore.service.exchange.tar_headers import BLOCK
from kore.service.settings import UNLIMITED, Limits
from kore.shared.messages import Message, message
from kore.shared.names import MAX_BYTES_PATH, find_path_fault

MOST_FILE = 8 * 2**30 - 1
"""Bytes of one file: what a header's field holds."""
_GZIP, _ZIP, _XZ, _ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"
_MOST_PLAIN = 100
"""Characters of a name that a header holds by itself."""
_ENDING = b"\0" * (2 * BLOCK)


def find_fault(path: str) -> Message | None:
    """Return what is wrong with a path in a backup, as the predicate of a sentence.

    Decomposed Unicode is what some systems' files bear, and is kept as it is.
    """
    if fault := find_path_fault(unicodedata.normalize("NFC", path)):
        return fault
    if len(path.encode()) > MAX_BYTES_PATH:
        return message("name_fault.bytes", n=MAX_BYTES_PATH)
    return None


@dataclass(slots=True)
class Packer:
    """Makes the pieces of an archive, and keeps what its manifest will say."""

    files: list[File] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    position: int = 0

    def folder(self, path: str) -> Iterator[bytes]:
        """Yield a folder."""
        self.folders.append(path)
        yield self._header(path + "/", tarfile.DIRTYPE, 0, 0o755, 0)

    def file(
        self, path: str, size: int, pieces: Iterable[bytes], *, runs: bool = False, mtime: float = 0
    ) -> Iterator[bytes]:
        """Yield a file of exactly ``size`` bytes. Raises KoreError where it has another size."""
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
            raise KoreError(
                409,
                "changed_meanwhile",
                f"{path} became shorter while it was read.",
                "Somebody works on it. Try again in a moment.",
            )
        padding = b"\0" * (-size % BLOCK)
        self.position += len(padding)
        yield before + padding
        self.files.append(File(path=path, size=size, at=at, sha256=digest.hexdigest(), runs=runs))

    def ending(self, text: bytes) -> Iterator[bytes]:
        """Yield the manifest and the archive's end."""
        yield self._header(manifest.NAME, tarfile.REGTYPE, len(text), 0o644, 0)
        yield text + b"\0" * (-len(text) % BLOCK) + _ENDING

    def _header(self, path: str, kind: bytes, size: int, mode: int, mtime: float) -> bytes:
        seconds = max(0, int(mtime))
        if len(path) <= _MOST_PLAIN and path.isascii():
            header = _plain_header(path, kind, size, mode, seconds)
        else:
            entry = tarfile.TarInfo(path)
            entry.type, entry.size, entry.mode, entry.mtime = kind, size, mode, seconds
            header = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        self.position += len(header)
        return header


def _plain_header(path: str, kind: bytes, size: int, mode: int, mtime: int) -> bytes:
    """Return the header that ``tarfile`` makes of a short name, in a fraction of its time."""
    numbers = f"{mode:07o}\0{0:07o}\0{0:07o}\0{size:011o}\0{mtime:011o}\0".encode()
    start, rest = path.encode().ljust(100, b"\0") + numbers, kind + bytes(100) + b"ustar\x0000"
    total = sum(start) + sum(rest) + 8 * 32
    return b"".join((start, f"{total:06o}\0 ".encode(), rest)).ljust(BLOCK, b"\0")


@dataclass(slots=True)
class Checked(Contents):
    """What a checked archive says and holds."""

    manifest: Manifest | None = None
    manifest_at: int = 0


class Checker(Inspector):
    """Takes an archive that comes from outside, in pieces; raises KoreError for a bad one."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(UNLIMITED)
        self._most, self._size = limits.backups, 0
        self._found: list[Member] = []
        self._current: Member | None = None
        self._manifest: bytearray | None = None
        self._manifest_at = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        first = not self._size
        self._size += len(data)
        if first and data.startswith((_GZIP, _ZIP, _XZ, _ZSTD)):
            raise bad_backup("The archive is compressed: unpack that first, to a .tar.")
        try:
            super().feed(data)
        except KoreError as error:
            raise _as_backup(error) from error

    def finish(self) -> Checked:
        """Return what the archive holds. Raises KoreError where it is no whole backup."""
        if self._manifest is None:
            if self._zeros > 1:
                raise bad_backup("The archive has no manifest: it is not a backup of a course.")
            raise bad_backup("The archive ends before its end.")
        try:
            contents = super().finish()
        except KoreError as error:
            raise _as_backup(error) from error
        self._close()
        told = manifest.parsed(bytes(self._manifest))
        manifest.compare(told, self._found)
        return Checked(contents.notebooks, contents.files, "", told, self._manifest_at)

    def _find_fault(self, path: str) -> Message | None:
        return find_fault(path)

    def _begin(self, path: str, kind: bytes, size: int, header: bytes) -> None:
        self._close()
        if self._manifest is not None:
            raise bad_backup("The archive goes on after its manifest.")
        if path == manifest.NAME and kind == b"0":
            if size > manifest.MOST_BYTES:
                raise bad_backup("The backup's manifest is too large.")
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
        """Take the file that ends here among those that were found."""
        one, self._current = self._current, None
        if one is not None:
            sha256 = self._digest.hexdigest()
            self._found.append(Member(one.path, one.size, one.at, sha256, one.runs))


class Own(Inspector):
    """Takes an archive that Kore itself packs at this moment."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""

    def finish(self) -> Contents:
        """Return nothing about it: who packs it knows."""
        return Contents()


def _as_backup(error: KoreError) -> KoreError:
    """Return an error of an archive in the words for a backup."""
    if error.code in {"bad_archive", "too_large"}:
        return bad_backup(str(error))
    return error
