"""Opens and changes files relative to an open folder: the steps that ``tree`` is made of.

No step follows a link. Each takes the descriptor of an open folder, and the name of
something in it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from kore.service.errors import Conflict, TooLarge

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """Something below a tree's root. ``size`` is in bytes, 0 for folders; ``mtime`` in s.

    ``is_special``: Kore does not touch it. It is a link, a device or a pipe, a folder that is
    closed to Kore or too deep, or its name is not text. ``mode`` has its permission bits.
    ``stamp`` (inode, ctime in ns, size) changes whenever anything about it changes.
    """

    path: str
    is_dir: bool
    size: int
    mtime: float
    mode: int = 0
    is_special: bool = False
    stamp: tuple[int, int, int] = (0, 0, 0)


def special_file(path: str) -> Conflict:
    """Return the error for what is neither a plain file nor a folder."""
    return Conflict("special_file", path=path)


def too_many_files(folder: str, limit: int) -> TooLarge:
    """Return the error for a folder with more in it than Kore reads."""
    return TooLarge("too_many_files", folder=folder, n=limit)


def split_path(path: str) -> list[str]:
    """Return the parts of a relative path. Raises ValueError for any other."""
    parts = path.split("/") if path else []
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise ValueError(f"not a relative path: {path!r}")
    return parts


def open_inner(descriptor: int, part: str, path: str) -> int:
    """Open a folder in an open one, and close that."""
    try:
        inner = os.open(part, PLACE, dir_fd=descriptor)
    except OSError as error:
        if isinstance(error, NotADirectoryError):
            found = stat_name(descriptor, part)
            if found is not None and stat.S_ISREG(found.st_mode):
                raise
        raise explain_error(error, path) from error
    os.close(descriptor)
    return inner


def explain_error(error: OSError, path: str) -> Exception:
    """Return what to raise for an error of the system: ours where a special file is in the way."""
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EACCES}:
        return special_file(path)
    return error


def stat_name(parent: int, name: str) -> os.stat_result | None:
    """Return the status of what has a name, of a link itself; None where nothing has it."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def read_entry(parent: int, name: str, path: str) -> Entry | None:
    """Return what has a name, without opening it; None where nothing has it."""
    found = stat_name(parent, name)
    if found is None:
        return None
    folder, plain = stat.S_ISDIR(found.st_mode), stat.S_ISREG(found.st_mode)
    return Entry(
        path=path,
        is_dir=folder,
        size=found.st_size if plain else 0,
        mtime=found.st_mtime,
        mode=stat.S_IMODE(found.st_mode),
        is_special=not (folder or plain) or not _is_text(name),
        stamp=_stamp(found),
    )


def _stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_ctime_ns, found.st_size


def read_stamps(parent: int, folder: str, names: list[str]) -> list[tuple[int, int, int] | None]:
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


def read_beginning(parent: int, folder: str, name: str, size: int) -> bytes | None:
    """Return the first bytes of a plain file in a folder of an open one; None for all else."""
    try:
        inner = os.open(folder, PLACE, dir_fd=parent)
    except OSError:
        return None
    try:
        descriptor = os.open(name, READ, dir_fd=inner)
    except OSError:
        return None
    finally:
        os.close(inner)
    with os.fdopen(descriptor, "rb", buffering=0) as handle:
        return handle.read(size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def list_folder(descriptor: int, relative: str) -> list[Entry]:
    """Return what is in an open folder, sorted."""
    prefix = relative + "/" if relative else ""
    names = sorted(os.listdir(descriptor), key=os.fsencode)
    found = (read_entry(descriptor, name, prefix + name) for name in names)
    return [entry for entry in found if entry is not None]


def walk_folder(descriptor: int, relative: str, depth: int) -> Iterator[Entry]:
    """Yield what is below an open folder, each folder before what is in it."""
    for entry in list_folder(descriptor, relative):
        if not entry.is_dir or entry.is_special:
            yield entry
            continue
        try:
            if depth >= _MAX_DEPTH:
                raise PermissionError
            inner = os.open(entry.path.rpartition("/")[2], FOLDER, dir_fd=descriptor)
        except FileNotFoundError:
            continue
        except OSError:
            yield replace(entry, is_special=True)
            continue
        try:
            yield entry
            yield from walk_folder(inner, entry.path, depth + 1)
        finally:
            os.close(inner)


def write_file(parent: int, name: str, chunks: Iterable[bytes], mode: int, *, sync: bool) -> int:
    """Write a whole file into an open folder, or nothing; return its size."""
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


def remove_folder(place: int, name: str, path: str) -> None:
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
            raise explain_error(error, path) from error
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
    found = stat_name(inner, child)
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
        raise explain_error(error, f"{path}/{child}") from error
    return aside
