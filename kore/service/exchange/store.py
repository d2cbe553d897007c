"""Keeps archives: whole files under random names, or no files at all.

An archive is written to ``incoming/``, made durable, and moved to
``courses/<course>/<blob>.tar`` before the index names it; it is removed after the index has
forgotten it. So a kill at any moment leaves at most files that no row names, which
``sweep`` removes: unfinished ones at once, whole ones after some days in ``unnamed/``, so
that work survives a start with the wrong database. A writer holds a shared lock until
the index is committed, and the sweep needs it alone: it never takes a file that is about to
be named, whichever process writes it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from kore.host.layout import check_course
from kore.service.diskspace import reporting_disk_full
from kore.service.errors import ServerFault
from kore.service.exchange.archives import Contents, Inspector
from kore.service.settings import Limits

log = logging.getLogger(__name__)

Found = TypeVar("Found")

_KEPT_SECONDS = 14 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Archive:
    """A whole archive in the store. ``size`` is in bytes."""

    course_id: str
    blob: str
    size: int
    sha256: str
    contents: Contents


class Store:
    """Archives below one folder, which belongs to Kore's account alone (mode 0700)."""

    def __init__(
        self, root: Path, limits: Limits, inspector: Callable[[Limits], Inspector] = Inspector
    ) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._lock_file = self._incoming / "lock"
        self._courses = root / "courses"
        self._unnamed = root / "unnamed"
        self._limits = limits
        self._inspector = inspector

    def prepare(self) -> None:
        """Make the folders, and close them to everyone else."""
        for folder in (self._root, self._incoming, self._courses, self._unnamed):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)

    @contextmanager
    def receiving(
        self, course_id: str, pieces: Iterable[bytes], blob: str = ""
    ) -> Iterator[Archive]:
        """Store the archive that comes in pieces, and yield it for the index to name.

        The block commits the row that names the blob. Where it raises, the caller says by
        ``remove`` that no row does. Raises BadArchive, TooLarge and DiskFull, and leaves
        nothing then.
        """
        self.prepare()
        blob = blob or secrets.token_hex(16)
        unfinished = self._incoming / f"{secrets.token_hex(16)}.tar"
        with self._lock(fcntl.LOCK_SH):
            try:
                with reporting_disk_full():
                    size, sha256, contents = self._write(unfinished, pieces)
                    self._move(unfinished, self._path(course_id, blob))
            finally:
                unfinished.unlink(missing_ok=True)
            yield Archive(course_id, blob, size, sha256, contents)

    @contextmanager
    def locking(self) -> Iterator[None]:
        """Keep the sweep away while the block reads what rows name."""
        self.prepare()
        with self._lock(fcntl.LOCK_SH):
            yield

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a folder for what the block needs for a while; the sweep finds it after a kill."""
        with self.locking():
            folder = self._incoming / secrets.token_hex(16)
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder)

    @contextmanager
    def pinning(
        self, course_id: str, find: Callable[[], Found], blobs: Callable[[Found], list[str]]
    ) -> Iterator[tuple[Found, Path]]:
        """Yield what ``find`` returns, and a folder with all ``blobs`` of it, as ``<blob>.tar``.

        They stay while the block reads, whatever is replaced or removed meanwhile.
        """
        with self.scratch() as folder:
            found = find()
            while not self._link(course_id, blobs(found), folder):
                before, found = found, find()
                if found == before:
                    raise ServerFault("archive_missing")
            yield found, folder

    def _link(self, course_id: str, blobs: list[str], folder: Path) -> bool:
        for blob in blobs:
            with contextlib.suppress(FileExistsError):
                try:
                    os.link(self._path(course_id, blob), folder / f"{blob}.tar")
                except FileNotFoundError:
                    return False
        return True

    def open(self, course_id: str, blob: str) -> BufferedReader:
        """Open an archive to read. Raises FileNotFoundError where it is gone."""
        return self._path(course_id, blob).open("rb")

    def remove(self, course_id: str, blob: str) -> None:
        """Remove an archive that no row names any more. Open readers keep it."""
        self._path(course_id, blob).unlink(missing_ok=True)

    def remove_folder(self, course_id: str) -> None:
        """Remove a course's folder, if nothing is left in it."""
        try:
            (self._courses / check_course(course_id)).rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.ENOENT}:
                raise

    def sweep(self, named: Iterable[str]) -> int:
        """Remove what killed writers left. Return how many files.

        ``named`` yields the blobs that rows name. It is read only while nobody writes; while
        someone does, nothing is swept.
        """
        self.prepare()
        try:
            with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
                return self._sweep(set(named))
        except BlockingIOError:
            log.info("Another process is writing to the store: nothing is swept")
            return 0

    def _sweep(self, named: set[str]) -> int:
        oldest = time.time() - _KEPT_SECONDS
        for path in self._unnamed.glob("*/*.tar"):
            if path.stem in named:
                log.warning("The index names %s again", path.name)
                self._move(path, self._courses / path.parent.name / path.name)
            elif path.stat().st_mtime < oldest:
                path.unlink()
        unfinished = [path for path in self._incoming.iterdir() if path != self._lock_file]
        for path in unfinished:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        lost = [path for path in self._courses.glob("*/*.tar") if path.stem not in named]
        for path in lost:
            os.utime(path)
            self._move(path, self._unnamed / path.parent.name / path.name)
        if unfinished or lost:
            log.warning(
                "Swept the store: %d unfinished files, %d files that no row names",
                len(unfinished),
                len(lost),
            )
        return len(unfinished) + len(lost)

    def _write(self, path: Path, pieces: Iterable[bytes]) -> tuple[int, str, Contents]:
        inspector, digest, size = self._inspector(self._limits), hashlib.sha256(), 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as handle:
            for piece in pieces:
                inspector.feed(piece)
                digest.update(piece)
                size += len(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[handle.write(rest) :]
            contents = inspector.finish()
            os.fsync(handle.fileno())
        return size, digest.hexdigest(), contents

    def _move(self, source: Path, target: Path) -> None:
        folder = target.parent
        while True:
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                _fsync_folder(folder.parent)
            try:
                source.rename(target)
            except FileNotFoundError:
                # Another writer may have removed the folder while it was empty.
                if folder.exists():
                    raise
            else:
                break
        _fsync_folder(folder)

    def _path(self, course_id: str, blob: str) -> Path:
        return self._courses / check_course(course_id) / f"{blob}.tar"

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._lock_file, flags, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


def _fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
