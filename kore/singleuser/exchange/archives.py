"""Folders as tar archives (POSIX.1-2001 pax, uncompressed), packed and unpacked.

Packing follows nbgrader's rules for copies (``CourseDirectory.ignore``, ``include``,
``max_file_size``, ``max_dir_size``). Unpacking trusts no sender: it writes only regular files and
folders with plain names below the destination.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import unicodedata
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from kore.shared.names import MAX_BYTES_PART

Ignore = Callable[[str, list[str]], Collection[str]]
"""Returns the names in a folder to leave out, as for ``shutil.copytree``."""

_MAX_MEMBERS = 100_000


class ArchiveError(Exception):
    """A folder cannot be packed, or an archive must not be unpacked. The message says why."""


def pack(folder: Path, archive: IO[bytes], *, ignore: Ignore, max_bytes: int) -> None:
    """Write a folder's files as an archive. ``max_bytes`` limits their total size.

    Links are followed, as nbgrader does: the files that they lead to are submitted.
    """
    total = 0
    seen: set[str] = set()
    with tarfile.open(fileobj=archive, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path, name in _walk(folder, ignore):
            if name in seen:
                raise ArchiveError(f"Two files are called {name!r}. Rename one.")
            seen.add(name)
            info = tarfile.TarInfo(name)
            if path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
                continue
            with _open(path) as file:
                status = os.fstat(file.fileno())
                info.size = status.st_size
                info.mtime = int(status.st_mtime)
                info.mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
                total += info.size
                if total > max_bytes:
                    raise ArchiveError(
                        f"The folder {folder} is larger than {max_bytes // 1000} kilobytes "
                        "(nbgrader's CourseDirectory.max_dir_size). Delete what is not needed."
                    )
                _add(tar, info, file)


def _add(tar: tarfile.TarFile, info: tarfile.TarInfo, file: IO[bytes]) -> None:
    try:
        tar.addfile(info, file)
    except OSError as error:
        if error.errno is not None:
            raise
        raise ArchiveError(f"{info.name} changed while it was read. Try again.") from error


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Write an archive's files into a new folder; raise ArchiveError for anything unexpected.

    Files written before an error remain: pass a folder that is removed then.
    """
    folder.mkdir(mode=0o777)
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for count, member in enumerate(tar):
                if count >= _MAX_MEMBERS:
                    raise ArchiveError(f"the archive has more than {_MAX_MEMBERS} members")
                _extract(tar, member, folder)
    except tarfile.TarError as error:
        raise ArchiveError(f"the archive is damaged: {error}") from error


def unpack_again(archive: IO[bytes], folder: Path) -> None:
    """Unpack into a folder, after removing it if an earlier attempt left it."""
    if folder.is_dir():
        shutil.rmtree(folder)
    unpack(archive, folder)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = member.name.removesuffix("/")
    if name == "." and member.isdir():
        return
    target = folder.joinpath(*_check_name(name))
    if member.isdir():
        target.mkdir(mode=0o777, parents=True, exist_ok=True)
        return
    if not member.isreg():
        raise ArchiveError(f"{name!r} in the archive is neither a file nor a folder")
    content = tar.extractfile(member)
    assert content is not None
    target.parent.mkdir(mode=0o777, parents=True, exist_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        mode = 0o777 if member.mode & stat.S_IXUSR else 0o666
        descriptor = os.open(target, flags, mode)
    except FileExistsError as error:
        raise ArchiveError(f"the archive contains {name!r} twice") from error
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)
    os.utime(target, (member.mtime, member.mtime))


def _check_name(name: str) -> tuple[str, ...]:
    """Return the parts of a name that stays below its folder."""
    parts = tuple(name.split("/"))
    for part in parts:
        if part in {"", ".", ".."} or "\0" in part or "\\" in part:
            raise ArchiveError(f"{name!r} in the archive is not a valid path")
        if len(part.encode("utf-8", "surrogateescape")) > MAX_BYTES_PART:
            raise ArchiveError(f"{name!r} in the archive is too long")
    return parts


def _walk(folder: Path, ignore: Ignore) -> Iterator[tuple[Path, str]]:
    """Yield the paths to pack and their names in NFC, folders before their content."""

    def visit(
        folder: Path, name: PurePosixPath, above: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[Path, str]]:
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise ArchiveError(f"The folder {folder} leads back to a folder above it.")
        names = sorted(path.name for path in folder.iterdir())
        left_out = set(ignore(str(folder), names))
        for entry in names:
            path = folder / entry
            if entry in left_out or not (path.is_file() or path.is_dir()):
                continue
            inner = name / _to_nfc(entry, path)
            yield path, str(inner)
            if path.is_dir():
                yield from visit(path, inner, above | {identity})

    yield from visit(folder, PurePosixPath(), frozenset())


def _to_nfc(name: str, path: Path) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArchiveError(f"The name of {path} is not valid UTF-8. Rename it.") from error
    return unicodedata.normalize("NFC", name)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArchiveError(f"Cannot read {path}: {error.strerror}.") from error
