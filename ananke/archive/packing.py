"""Packing a definition and its data, while a hub may be writing to them."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ananke import __version__
from ananke.archive.openat import CREATE, FOLDER, NOT_A_FOLDER, READ, open_folder, open_subfolder
from ananke.mounts import GRADEBOOKS, HUB_DATABASE, KORE_DATABASE, MOUNTS

MANIFEST = "manifest.json"
FORMAT = 1
_TOP_FILES = ("config.py", "readme.md")
_SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")


class _HashingReader:
    """Reads a file of a known size and hashes it; pads it with zeros if it became shorter."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self.sha = hashlib.sha256()

    def read(self, size: int) -> bytes:
        wanted = min(size, self._left)
        data = self._file.read(wanted)
        data += bytes(wanted - len(data)) if len(data) < wanted else b""
        self._left -= wanted
        self.sha.update(data)
        return data


def list_databases(folder: Path) -> list[dict[str, Any]]:
    """Return the path and owner of each SQLite database below a definition.

    While a database is in use, only SQLite can copy it safely.
    """
    names = [HUB_DATABASE, KORE_DATABASE]
    homes, gradebook = GRADEBOOKS
    with open_folder(folder) as root:
        try:
            with open_subfolder(root, homes) as home, os.scandir(home) as entries:
                courses = sorted(e.name for e in entries if e.name.startswith("c-"))
        except OSError:
            courses = []
        names += [f"{homes}/{course}/{gradebook}" for course in courses]
        found = []
        for name in names:
            try:
                with open_subfolder(root, str(PurePosixPath(name).parent)) as parent:
                    known = os.stat(PurePosixPath(name).name, dir_fd=parent, follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(known.st_mode) and known.st_size:
                found.append({"path": name, "uid": known.st_uid, "gid": known.st_gid})
    return found


def pack(folder: Path, output: Path, staged: dict[str, str]) -> dict[str, Any]:
    """Write the archive; return its manifest without the files, and the counts.

    ``staged`` maps paths below ``folder`` to files that are packed instead.
    """
    skipped = {path + suffix for path in staged for suffix in _SQLITE_SUFFIXES}
    tops = [*_TOP_FILES, *(m.source for m in MOUNTS if m.backup)]
    files: dict[str, dict[str, Any]] = {}
    counts = {"files": 0, "folders": 0, "links": 0, "left_out": 0, "bytes": 0}
    seen: dict[tuple[int, int], str] = {}
    descriptor = os.open(output, CREATE, 0o600)
    with (
        os.fdopen(descriptor, "wb") as raw,
        tarfile.open(
            fileobj=raw, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT
        ) as archive,
        open_folder(folder) as root,
    ):
        for name, parent, known in _walk(root, tops):
            if name in skipped:
                continue
            info = _make_member(name, known)
            last = PurePosixPath(name).name
            if stat.S_ISDIR(known.st_mode):
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
                counts["folders"] += 1
            elif stat.S_ISLNK(known.st_mode):
                info.type, info.linkname = tarfile.SYMTYPE, os.readlink(last, dir_fd=parent)
                archive.addfile(info)
                counts["links"] += 1
            elif not stat.S_ISREG(known.st_mode):
                counts["left_out"] += 1
            elif known.st_nlink > 1 and (first := seen.get((known.st_dev, known.st_ino))):
                info.type, info.linkname = tarfile.LNKTYPE, first
                archive.addfile(info)
                counts["links"] += 1
            else:
                hashed = _add_file(archive, info, parent, staged.get(name))
                if hashed is None:
                    counts["left_out"] += 1
                    continue
                files[name] = {"sha256": hashed.sha.hexdigest(), "size": info.size}
                seen[known.st_dev, known.st_ino] = name
                counts["files"] += 1
                counts["bytes"] += info.size
        about = {
            "format": FORMAT,
            "ananke": __version__,
            "definition": folder.name,
            "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        data = json.dumps({**about, "files": files}).encode("ascii")
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(data), 0o600
        archive.addfile(info, io.BytesIO(data))
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return {**about, **counts}


def _add_file(
    archive: tarfile.TarFile, info: tarfile.TarInfo, parent: int, staged: str | None
) -> _HashingReader | None:
    """Add a regular file; return None if it has disappeared or changed its type meanwhile."""
    try:
        if staged is not None:
            descriptor = os.open(staged, READ)
        else:
            descriptor = os.open(PurePosixPath(info.name).name, READ, dir_fd=parent)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            return None
        info.size = known.st_size
        hashed = _HashingReader(file, info.size)
        archive.addfile(info, hashed)  # type: ignore[arg-type]
        return hashed


def _make_member(name: str, known: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(known.st_mode)
    info.uid, info.gid = known.st_uid, known.st_gid
    info.mtime = int(known.st_mtime)
    return info


def _walk(root: int, tops: list[str]) -> Iterator[tuple[str, int, os.stat_result]]:
    """Yield (path, descriptor of its folder, stat result), a folder before its contents."""
    waiting = list(reversed(tops))
    while waiting:
        name = waiting.pop()
        path = PurePosixPath(name)
        try:
            with open_subfolder(root, str(path.parent)) as parent:
                known = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
                yield name, parent, known
                if stat.S_ISDIR(known.st_mode):
                    inner = os.open(path.name, FOLDER, dir_fd=parent)
                    try:
                        with os.scandir(inner) as found:
                            below = sorted((f"{name}/{e.name}" for e in found), reverse=True)
                    finally:
                        os.close(inner)
                    waiting.extend(below)
        except OSError as error:
            # It disappeared or became a link since it was listed.
            if error.errno not in (errno.ENOENT, *NOT_A_FOLDER):
                raise
