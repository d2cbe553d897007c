"""Unpacking an archive that may come from anywhere: all of it verified, or nothing."""

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

from ananke.archive.openat import CREATE, make_damage_error, open_folder, open_subfolder
from ananke.archive.packing import FORMAT, MANIFEST
from ananke.errors import AnankeError, Exit

_CHUNK = 1 << 20
_MAX_MANIFEST_BYTES = 1 << 30


def unpack(file: IO[bytes], folder: Path) -> dict[str, Any]:
    """Unpack an archive into a new folder; return its manifest without the files.

    Raises AnankeError if anything is damaged or leads out of the folder.
    """
    partial = folder.with_name(f".{folder.name}.restore")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    try:
        with open_folder(partial) as root:
            about = _Unpacker(root).run(file)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return about


class _Unpacker:
    """Unpacks one archive into the folder ``root`` (a descriptor)."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._sums: dict[str, str] = {}
        self._folders: list[tarfile.TarInfo] = []
        self._manifest: dict[str, Any] | None = None

    def run(self, file: IO[bytes]) -> dict[str, Any]:
        """Create all members and compare them with the manifest."""
        try:
            # tarfile's own gzip mode skips the checksum at the end, the only one that covers
            # everything. Here it is verified when the reading reaches the end.
            with (
                gzip.GzipFile(fileobj=file) as plain,
                tarfile.open(fileobj=plain, mode="r|") as archive,
            ):
                for info in archive:
                    self._unpack_member(archive, info)
                while plain.read(_CHUNK):
                    pass
        except (tarfile.TarError, EOFError, UnicodeError, zlib.error, gzip.BadGzipFile) as error:
            raise make_damage_error(str(error) or "it ends too early") from error
        if self._manifest is None:
            raise make_damage_error("it ends before its manifest")
        expected = {name: about["sha256"] for name, about in self._manifest["files"].items()}
        if expected != self._sums:
            names = [*expected, *self._sums]
            wrong = next(n for n in names if expected.get(n) != self._sums.get(n))
            raise make_damage_error(f"{wrong!r} is not as it was backed up")
        # Last, and from the inside out: the final mode may not allow writing into a folder.
        for info in reversed(self._folders):
            with open_subfolder(self._root, info.name) as made:
                _set_owner(made, info, 0o7777)
        return {key: value for key, value in self._manifest.items() if key != "files"}

    def _unpack_member(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        if self._manifest is not None:
            raise make_damage_error("it continues after its manifest")
        if info.name == MANIFEST:
            self._manifest = _read_manifest(archive, info)
            return
        parts = _split_safely(info.name)
        with open_subfolder(self._root, "/".join(parts[:-1]), make=True) as parent:
            try:
                self._create(archive, info, parts[-1], parent)
            except FileExistsError as error:
                raise make_damage_error(f"{info.name!r} is in it twice") from error

    def _create(
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
                raise make_damage_error(f"{info.name!r} is a link to something that is not in it")
            parts = _split_safely(info.linkname)
            with open_subfolder(self._root, "/".join(parts[:-1])) as other:
                os.link(parts[-1], name, src_dir_fd=other, dst_dir_fd=parent, follow_symlinks=False)
        elif info.isreg():
            self._sums[info.name] = _create_file(archive, info, name, parent)
        else:
            raise make_damage_error(f"{info.name!r} is neither a file, a folder nor a link")


def _read_manifest(archive: tarfile.TarFile, info: tarfile.TarInfo) -> dict[str, Any]:
    content = archive.extractfile(info) if info.size <= _MAX_MANIFEST_BYTES else None
    try:
        found = json.loads(content.read()) if content is not None else None
        number, files = found["format"], found["files"]  # type: ignore[index]
        readable = isinstance(found, dict) and all(
            isinstance(about["sha256"], str) for about in files.values()
        )
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError) as error:
        raise make_damage_error("its manifest is invalid") from error
    if not readable:
        raise make_damage_error("its manifest is invalid")
    if number != FORMAT:
        raise AnankeError(
            Exit.CHECKSUM,
            f"This version of ananke does not know the backup format {number!r}.",
            "Use the version of ananke that made the backup, or a newer one.",
        )
    assert isinstance(found, dict)
    return found


def _split_safely(name: str) -> list[str]:
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise make_damage_error(f"{name!r} leads out of the folder")
    return parts


def _create_file(archive: tarfile.TarFile, info: tarfile.TarInfo, name: str, parent: int) -> str:
    content = archive.extractfile(info)
    assert content is not None
    sha = hashlib.sha256()
    with os.fdopen(os.open(name, CREATE, 0o600, dir_fd=parent), "wb") as made:
        while data := content.read(_CHUNK):
            sha.update(data)
            made.write(data)
        made.flush()
        _set_owner(made.fileno(), info, 0o777)
        os.utime(made.fileno(), (info.mtime, info.mtime))
    return sha.hexdigest()


def _set_owner(descriptor: int, info: tarfile.TarInfo, modes: int) -> None:
    if os.geteuid() == 0:
        try:
            os.fchown(descriptor, info.uid, info.gid)
        except OSError as error:
            raise AnankeError(
                Exit.HOST,
                f"The backup has a file of account {info.uid}, outside of your range of ids.",
                "Your range of subordinate ids is too small: ananke doctor.",
            ) from error
    os.fchmod(descriptor, info.mode & modes)
