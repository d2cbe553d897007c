"""Steps through folders by descriptor, of which ``tree`` is made: nothing else uses them.

No step follows a link. Each takes the descriptor of a folder that is open already, and the
name of what is in it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from kore.service.errors import KoreError

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Something below a tree's root. ``size`` is in bytes, 0 for folders; ``mtime`` in s.

    ``odd`` is what Kore does not touch: links, devices, pipes, folders that are closed to it
    or lie too deep, names that are no text; ``mode`` are its permission bits. ``stamp`` is
    another one as soon as anything about it has changed (inode, its time of change in ns, size).
    """

    path: str
    is_dir: bool
    size: int
    mtime: float
    mode: int = 0
    odd: bool = False
    stamp: tuple[int, int, int] = (0, 0, 0)


def odd(path: str) -> KoreError:
    """Return the error for what is neither a plain file nor a folder."""
    return KoreError(
        409,
        "odd_file",
        f"{ascii(path) if not path.isprintable() else path} is a link, a pipe, a device or "
        "closed: only plain files and folders are taken.",
        "Replace it by the file itself, or remove it, then try again.",
    )


def too_many(where: str, most: int) -> KoreError:
    """Return the error for a folder with more in it than is looked at."""
    return KoreError(
        413,
        "too_many",
        f"There are more than {most} files and folders in {where}.",
        "Remove what is not needed, or pack it into one file.",
    )


def parts_of(path: str) -> list[str]:
    """Return the parts of a relative path. Raises ValueError for any other."""
    parts = path.split("/") if path else []
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ValueError(f"not a relative path: {path!r}")
    return parts


def stepped(descriptor: int, part: str, path: str) -> int:
    """Go one folder down; close the descriptor of the one above."""
    try:
        inner = os.open(part, PLACE, dir_fd=descriptor)
    except OSError as error:
        if isinstance(error, NotADirectoryError):
            found = status(descriptor, part)
            if found is not None and stat.S_ISREG(found.st_mode):
                raise
        raise told(error, path) from error
    os.close(descriptor)
    return inner


def told(error: OSError, path: str) -> Exception:
    """Return what to raise: words where a link, a device or a closed folder is in the way."""
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EACCES}:
        return odd(path)
    return error


def status(parent: int, name: str) -> os.stat_result | None:
    """Return what the system says of a name, a link itself too; None where nothing is."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def entry_of(parent: int, name: str, path: str) -> Entry | None:
    """Return what is there under a name, without opening it."""
    found = status(parent, name)
    if found is None:
        return None
    folder, plain = stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode)
    return Entry(
        path=path,
        is_dir=folder,
        size=found.st_size if plain else 0,
        mtime=found.st_mtime,
        mode=stat.S_IMODE(found.st_mode),
        odd=not (folder or plain) or not _is_text(name),
        stamp=_stamp(found),
    )


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_ctime_ns, found.st_size


def stamped(parent: int, folder: str, names: list[str]) -> list[tuple[int, int, int] | None]:
    """Return the stamps of plain files in a folder of an open one; None for all else."""
    try:
        inner = os.open(folder, PLACE, dir_fd=parent)
    except OSError:
        return [None] * len(names)
    try:
        return [_plain_stamp(inner, name) for name in names]
    finally:
        os.close(inner)


def _plain_stamp(parent: int, name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return None
    return _stamp(found) if stat.S_ISREG(found.st_mode) else None


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def listed(descriptor: int, relative: str) -> list[Entry]:
    """List an open folder, sorted."""
    prefix = relative + "/" if relative else ""
    names = sorted(os.listdir(descriptor), key=os.fsencode)
    found = (entry_of(descriptor, name, prefix + name) for name in names)
    return [entry for entry in found if entry is not None]


def walked(descriptor: int, relative: str, depth: int) -> Iterator[Entry]:
    """Yield what is below an open folder, each folder before what is in it."""
    for entry in listed(descriptor, relative):
        if not entry.is_dir or entry.odd:
            yield entry
            continue
        try:
            if depth >= _MOST_DEPTH:
                raise PermissionError
            inner = os.open(entry.path.rpartition("/")[2], FOLDER, dir_fd=descriptor)
        except FileNotFoundError:
            continue
        except OSError:
            yield replace(entry, odd=True)
            continue
        try:
            yield entry
            yield from walked(inner, entry.path, depth + 1)
        finally:
            os.close(inner)


def written(parent: int, name: str, chunks: Iterable[bytes], mode: int, *, sync: bool) -> int:
    """Write a whole file in an open folder, or nothing; return its size."""
    unfinished = f".kore-{secrets.token_hex(8)}"
    descriptor = os.open(unfinished, _NEW, mode, dir_fd=parent)
    size = 0
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as handle:
            for chunk in chunks:
                rest = memoryview(chunk)
                size += len(rest)
                while rest:
                    rest = rest[handle.write(rest) :]
            if sync:
                os.fsync(handle.fileno())
        os.rename(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(unfinished, dir_fd=parent)
        raise
    if sync:
        os.fsync(parent)
    return size


def emptied(place: int, name: str, path: str) -> None:
    """Remove a folder that lies in ``place``, however deep it is.

    A folder within it that is not empty is moved up into ``place`` first, so that neither
    descriptors nor calls pile up.
    """
    waiting = [name]
    while waiting:
        current = waiting.pop()
        try:
            inner = os.open(current, FOLDER, dir_fd=place)
        except OSError as error:
            raise told(error, path) from error
        try:
            names = os.listdir(inner)  # noqa: PTH208 - a descriptor is no path
            for child in names:
                aside = _drop(inner, child, place, path)
                if aside:
                    waiting.append(aside)
        finally:
            os.close(inner)
        os.rmdir(current, dir_fd=place)


def _drop(inner: int, child: str, place: int, path: str) -> str:
    """Remove one thing of a folder; return its new name where it was moved up instead."""
    found = status(inner, child)
    if found is None:
        return ""
    try:
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(child, dir_fd=inner)
            return ""
        with suppress(OSError):
            os.rmdir(child, dir_fd=inner)
            return ""
        aside = secrets.token_hex(8)
        os.rename(child, aside, src_dir_fd=inner, dst_dir_fd=place)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise told(error, f"{path}/{child}") from error
    return aside
