"""Packs folders that others wrote into archives that ``kore.service.exchange.archives`` accepts.

Their owners may replace files with links, even while we read: every step goes by
descriptor, and no link is followed.
"""

from __future__ import annotations

import os
import stat
import tarfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from kore.service.catalog import render
from kore.service.exchange.tar_headers import BLOCK
from kore.shared.names import find_path_fault, quote_name

_PIECE = 256 * 1024
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Entry = tuple[str, int | None]
"""A relative path and an open descriptor, which the receiver closes; None is a folder."""


def iterate_entries(folder: Path, left_out: list[str]) -> Iterator[Entry]:
    """Yield what a folder holds, in the order of names.

    What is neither a plain file nor a folder, cannot be read, or has an unfit name is left
    out, with a sentence in ``left_out``.
    """
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def report(error: OSError) -> None:
        left_out.append(f"a folder cannot be read: {error.strerror}")

    try:
        for place, folders, names, descriptor in os.fwalk(".", dir_fd=top, onerror=report):
            folders.sort()
            fit = []
            for name in folders:
                path = _path(place, name)
                if _is_unfit(path, left_out):
                    continue
                if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                    left_out.append(f"{quote_name(path)} is a link")
                    continue
                fit.append(name)
                yield path, None
            folders[:] = fit
            for name in sorted(names):
                path = _path(place, name)
                if not _is_unfit(path, left_out):
                    file = open_plain(name, descriptor)
                    if file is None:
                        left_out.append(f"{quote_name(path)} is not a plain file that can be read")
                    else:
                        yield path, file
    finally:
        os.close(top)


def open_plain(name: str, folder: int) -> int | None:
    """Open a plain file in an open folder; None for anything else and what cannot be read."""
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def pack_entries(found: Iterable[Entry]) -> Iterator[bytes]:
    """Yield an archive of entries, in pieces."""
    for path, descriptor in found:
        info = tarfile.TarInfo(path)
        if descriptor is None:
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            yield _header(info)
            continue
        with os.fdopen(descriptor, "rb") as handle:
            status = os.fstat(descriptor)
            info.size, info.mtime = status.st_size, max(0, int(status.st_mtime))
            yield _header(info)
            rest = info.size
            while rest:
                piece = handle.read(min(rest, _PIECE))
                if not piece:
                    raise OSError(f"{path} became shorter while it was read")
                rest -= len(piece)
                yield piece
            yield bytes(-info.size % BLOCK)
    yield bytes(2 * BLOCK)


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _path(place: str, name: str) -> str:
    return unicodedata.normalize("NFC", os.path.normpath(f"{place}/{name}"))


def _is_unfit(path: str, left_out: list[str]) -> bool:
    fault = find_path_fault(path)
    if fault is not None:
        left_out.append(f"the name {quote_name(path)} {render(fault)}")
    return fault is not None
