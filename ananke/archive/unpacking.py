"""Unpacking an archive that may come from anywhere: whole and verified, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO, Any

from ananke.archive.folders import MAKE, damaged, opened, walked
from ananke.archive.packing import FORMAT, MANIFEST
from ananke.errors import AnankeError, Exit

_CHUNK = 1 << 20
_LARGEST_MANIFEST = 1 << 30


def unpack(file: IO[bytes], folder: Path) -> dict[str, Any]:
    """Unpack an archive into a new folder; return its manifest without the files.

    Raises AnankeError for whatever is damaged, or leads out of the folder.
    """
    fresh = folder.with_name(f".{folder.name}.restore")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700, parents=True)
    try:
        with opened(fresh) as root:
            about = _Unpacking(root).run(file)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return about


class _Unpacking:
    """One archive on its way into the folder ``root`` (a descriptor)."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._sums: dict[str, str] = {}
        self._folders: list[tarfile.TarInfo] = []
        self._manifest: dict[str, Any] | None = None

    def run(self, file: IO[bytes]) -> dict[str, Any]:
        """Make all members and compare them with the manifest."""
        try:
            # tarfile's own way through gzip leaves out the checksum at its end, the only one
            # of everything. It is compared where the reading ends.
            with (
                gzip.GzipFile(fileobj=file) as plain,
                tarfile.open(fileobj=plain, mode="r|") as archive,
            ):
                for info in archive:
                    self._member(archive, info)
                while plain.read(_CHUNK):
                    pass
        except (tarfile.TarError, EOFError, UnicodeError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(str(error) or "it ends too early") from error
        if self._manifest is None:
            raise damaged("it ends before its manifest")
        expected = {name: about["sha256"] for name, about in self._manifest["files"].items()}
        if expected != self._sums:
            names = [*expected, *self._sums]
            wrong = next(n for n in names if expected.get(n) != self._sums.get(n))
            raise damaged(f"{wrong!r} is not what was backed up")
        # Last, and from the inside out: a folder may be closed to whoever fills it.
        for info in reversed(self._folders):
            with walked(self._root, info.name) as made:
                _own(made, info, 0o7777)
        return {key: value for key, value in self._manifest.items() if key != "files"}

    def _member(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        if self._manifest is not None:
            raise damaged("it goes on after its manifest")
        if info.name == MANIFEST:
            self._manifest = _read_manifest(archive, info)
            return
        parts = _safe_parts(info.name)
        with walked(self._root, "/".join(parts[:-1]), make=True) as parent:
            try:
                self._make(archive, info, parts[-1], parent)
            except FileExistsError as error:
                raise damaged(f"{info.name!r} is in it twice") from error

    def _make(
        self, archive: tarfile.TarFile, info: tarfile.TarInfo, name: str, parent: int
    ) -> None:
        if info.isdir():
            os.mkdir(name, 0o700, dir_fd=parent)
            self._folders.append(info)
        elif info.issym():
            os.symlink(info.linkname, name, dir_fd=parent)
            if os.geteuid() == 0:
                os.chown(name, info.uid, info.gid, dir_fd=parent, follow_symlinks=False)
        elif info.islnk():
            if info.linkname not in self._sums:
                raise damaged(f"{info.name!r} is a link to what is not in it")
            parts = _safe_parts(info.linkname)
            with walked(self._root, "/".join(parts[:-1])) as other:
                os.link(parts[-1], name, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)
        elif info.isreg():
            self._sums[info.name] = _make_file(archive, info, name, parent)
        else:
            raise damaged(f"{info.name!r} is neither a file, a folder nor a link")


def _read_manifest(archive: tarfile.TarFile, info: tarfile.TarInfo) -> dict[str, Any]:
    content = archive.extractfile(info) if info.size <= _LARGEST_MANIFEST else None
    try:
        found = json.loads(content.read()) if content is not None else None
        number, files = found["format"], found["files"]  # type: ignore[index]
        readable = isinstance(found, dict) and all(
            isinstance(about["sha256"], str) for about in files.values()
        )
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise damaged("its manifest cannot be read") from error
    if not readable:
        raise damaged("its manifest cannot be read")
    if number != FORMAT:
        raise AnankeError(
            Exit.CHECKSUM,
            f"The backup has format {number!r}, which this ananke does not know.",
            "Use the version of ananke that made it, or a newer one.",
        )
    assert isinstance(found, dict)
    return found


def _safe_parts(name: str) -> list[str]:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise damaged(f"{name!r} leads out of its folder")
    return parts


def _make_file(archive: tarfile.TarFile, info: tarfile.TarInfo, name: str, parent: int) -> str:
    content = archive.extractfile(info)
    assert content is not None
    sha = hashlib.sha256()
    with os.fdopen(os.open(name, MAKE, 0o600, dir_fd=parent), "wb") as made:
        while data := content.read(_CHUNK):
            sha.update(data)
            made.write(data)
        made.flush()
        _own(made.fileno(), info, 0o777)
        os.utime(made.fileno(), (info.mtime, info.mtime))
    return sha.hexdigest()


def _own(descriptor: int, info: tarfile.TarInfo, modes: int) -> None:
    if os.geteuid() == 0:
        try:
            os.fchown(descriptor, info.uid, info.gid)
        except OSError as error:
            raise AnankeError(
                Exit.HOST,
                f"The account {info.uid} of a file in the backup does not exist for you here.",
                "Your range of subordinate ids is too small: ananke doctor.",
            ) from error
    os.fchmod(descriptor, info.mode & modes)
