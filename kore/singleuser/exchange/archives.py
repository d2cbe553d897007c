"""Folders as tar archives (POSIX.1-2001 pax, uncompressed), packed and unpacked.

What is packed follows nbgrader's rules for copies (``CourseDirectory.ignore``, ``include``,
``max_file_size``, ``max_dir_size``). What is unpacked is believed in nothing: only regular
files and folders with plain names below the destination come out, whoever sent it.
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

Ignore = Callable[[str, list[str]], Collection[str]]
"""Names in a folder that are left out: as ``shutil.copytree`` takes it."""

_LONGEST_NAME = 255
_MOST_MEMBERS = 100_000


class ArchiveError(Exception):
    """A folder cannot be packed, or an archive must not be unpacked; in words."""


def pack(folder: Path, archive: IO[bytes], *, ignore: Ignore, largest: int) -> None:
    """Write a folder's files as an archive. ``largest`` bounds their sum, in bytes.

    Links are followed, as nbgrader does: what is handed in is what they lead to.
    """
    total = 0
    seen: set[str] = set()
    with tarfile.open(fileobj=archive, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path, name in _walk(folder, ignore):
            if name in seen:
                raise ArchiveError(f"Two files are called {name!r}; rename one.")
            seen.add(name)
            info = tarfile.TarInfo(name)
            if path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
                continue
            with _opened(path) as file:
                found = os.fstat(file.fileno())
                info.size = found.st_size
                info.mtime = int(found.st_mtime)
                info.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
                total += info.size
                if total > largest:
                    raise ArchiveError(
                        f"The folder {folder} is too large: more than {largest // 1000} kilobytes "
                        "(nbgrader's CourseDirectory.max_dir_size). Delete what is not needed."
                    )
                _add(tar, info, file)


def _add(tar: tarfile.TarFile, info: tarfile.TarInfo, file: IO[bytes]) -> None:
    try:
        tar.addfile(info, file)
    except OSError as error:
        if error.errno is not None:
            raise
        raise ArchiveError(f"{info.name} changed while it was read: try again.") from error


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Write an archive's files into a new folder; raise ArchiveError for any odd one.

    Whatever was written before an error stays: give a folder that is thrown away then.
    """
    folder.mkdir(mode=0o777)
    try:
        with tarfile.open(fileobj=archive, mode="r|") as tar:
            for count, member in enumerate(tar):
                if count >= _MOST_MEMBERS:
                    raise ArchiveError(f"the archive has more than {_MOST_MEMBERS} members")
                _extract(tar, member, folder)
    except tarfile.TarError as error:
        raise ArchiveError(f"the archive is damaged: {error}") from error


def unpack_anew(archive: IO[bytes], folder: Path) -> None:
    """Unpack into a folder from which an earlier try is removed first."""
    if folder.is_dir():
        shutil.rmtree(folder)
    unpack(archive, folder)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = member.name.removesuffix("/")
    if name == "." and member.isdir():
        return
    target = folder.joinpath(*_checked(name))
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
        raise ArchiveError(f"{name!r} is twice in the archive") from error
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file)
    os.utime(target, (member.mtime, member.mtime))


def _checked(name: str) -> tuple[str, ...]:
    """Return the parts of a name that leads nowhere but down."""
    parts = tuple(name.split("/"))
    for part in parts:
        if part in {"", ".", ".."} or "\0" in part or "\\" in part:
            raise ArchiveError(f"{name!r} in the archive is no name of a file below a folder")
        if len(part.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
            raise ArchiveError(f"{name!r} in the archive is too long for a name")
    return parts


def _walk(folder: Path, ignore: Ignore) -> Iterator[tuple[Path, str]]:
    """Yield what is to be packed, folders before what is in them, each name in NFC."""

    def visit(
        place: Path, name: PurePosixPath, above: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[Path, str]]:
        found = place.stat()
        identity = (found.st_dev, found.st_ino)
        if identity in above:
            raise ArchiveError(f"The folder {place} leads back into itself.")
        names = sorted(path.name for path in place.iterdir())
        left_out = set(ignore(str(place), names))
        for one in names:
            path = place / one
            if one in left_out or not (path.is_file() or path.is_dir()):
                continue
            inner = name / _portable(one, path)
            yield path, str(inner)
            if path.is_dir():
                yield from visit(path, inner, above | {identity})

    yield from visit(folder, PurePosixPath(), frozenset())


def _portable(name: str, path: Path) -> str:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ArchiveError(f"The name of {path} is no UTF-8 text; rename it.") from error
    return unicodedata.normalize("NFC", name)


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}.") from error
