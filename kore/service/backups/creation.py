"""Creates a backup of a course, while people may work in it.

Each file is as it was at one moment, the gradebook by SQLite's own backup, and the exchange by
its index. Links, pipes and the like are left out and named in the report; so is a plain file
that no archive may hold, unless the course is about to lose it: then there is no backup.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version as version_of
from pathlib import Path

import ananke
from kore.service import audit
from kore.service.backups import repository, students
from kore.service.backups.archives import MAX_FILE, Packer
from kore.service.backups.inventory import Inventory, report_left_out, take_inventory
from kore.service.backups.manifest import (
    COURSE,
    EXCHANGE,
    GRADEBOOK,
    PEOPLE,
    Contents,
    Manifest,
)
from kore.service.coursedir import gradebook, layout
from kore.service.coursedir.gradebook import NoGradebookError
from kore.service.coursedir.openat import Entry, special_file
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.db.models import Backup, now
from kore.service.errors import Cancelled, Conflict, TooLarge
from kore.service.exchange.exports import INDEX, exporting_course
from kore.service.jobs import JobContext
from kore.service.memberships import find_course
from kore.shared.messages import message

_PIECE = 1024 * 1024
_WHOLE = 16 * 1024 * 1024
"""Bytes up to which a file is read at once, and again where it changed meanwhile."""
_TRIES = 5
_PROGRESS_SECONDS = 0.5
_GRADEBOOK_SECONDS = 60


def create_backup(ctx: JobContext, contents: Contents, origin: str, *, whole: bool = False) -> str:
    """Create a backup of the job's course; return its id, which is the job's.

    A backup that an earlier attempt of the job has created serves. With ``whole`` raises
    Conflict where a plain file would be left out.
    """
    assert ctx.course_id is not None
    services = ctx.services
    with services.db.reading() as session:
        if session.get(Backup, ctx.job_id) is not None:
            return ctx.job_id
    root = services.host.course_root(ctx.course_id)
    with ExitStack() as stack:
        scratch = stack.enter_context(repository.open_store(services).scratch())
        tree = stack.enter_context(_open_course(root))
        course = take_inventory(tree, contents)
        report_left_out(ctx, course, whole=whole)
        writer = _BackupWriter(ctx, tree, course, contents)
        if contents == "everything":
            writer.copy_gradebook(scratch)
            writer.exchange = stack.enter_context(exporting_course(services, ctx.course_id))
        return repository.store_backup(
            services,
            ctx.course_id,
            writer.pack(),
            by=ctx.created_by,
            origin=origin,
            own=writer.get_manifest,
            blob=ctx.job_id,
        )


class _BackupWriter:
    """Packs one backup into its archive."""

    def __init__(
        self, ctx: JobContext, tree: SafeTree, course: Inventory, contents: Contents
    ) -> None:
        self._ctx, self._tree, self._course, self._contents = ctx, tree, course, contents
        self._packer = Packer()
        self._gradebook: Path | None = None
        self._version, self._students = "", 0
        self.exchange: tuple[bytes, list[Path]] | None = None
        self._done, self._total, self._next_report = 0, 0, 0.0
        self._manifest: Manifest | None = None
        self._manifest_at = 0

    def copy_gradebook(self, scratch: Path) -> None:
        """Copy the gradebook as it is now; nothing where the course has none."""
        found = self._tree.stat(layout.GRADEBOOK)
        if found is None:
            return
        # SQLite follows links: the copy is examined before it goes anywhere.
        if found.is_special or found.is_dir:
            raise special_file(layout.GRADEBOOK)
        course_id, deadline = str(self._ctx.course_id), time.monotonic() + _GRADEBOOK_SECONDS

        def check() -> None:
            self._stop_if_cancelled()
            if time.monotonic() > deadline:
                raise Conflict("gradebook_busy")

        copy = layout.gradebook_path(scratch)
        gradebook.snapshot(layout.gradebook_path(self._tree.root), copy, check)
        try:
            self._version, self._students = gradebook.examine(copy, course_id)
        except NoGradebookError as error:
            raise Conflict("gradebook_damaged", reason=error.message) from error
        self._gradebook = copy

    def pack(self) -> Iterator[bytes]:
        """Yield the archive in pieces."""
        self._total = sum(entry.size for entry in self._course.files)
        archives = self.exchange[1] if self.exchange else []
        self._total += sum(path.stat().st_size for path in archives)
        for entry in self._course.folders:
            yield from self._packer.pack_folder(f"{COURSE}/{entry.path}")
        for entry in self._course.files:
            yield from self._pack_file(entry)
        if self._gradebook is not None:
            yield from self._pack_own(GRADEBOOK, self._gradebook)
        if self.exchange is not None:
            yield from self._packer.pack_folder(EXCHANGE)
            text = self.exchange[0]
            yield from self._packer.pack_file(f"{EXCHANGE}/{INDEX}", len(text), [text])
            for path in archives:
                yield from self._pack_own(f"{EXCHANGE}/{path.name}", path)
            with self._ctx.services.db.reading() as session:
                text = students.dump_students(session, str(self._ctx.course_id))
            yield from self._packer.pack_file(PEOPLE, len(text), [text])
        self._manifest_at = self._packer.position
        self._manifest = self._make_manifest()
        ending = self._packer.pack_end(self._manifest.model_dump_json().encode())
        header = next(ending)
        self._manifest_at += len(header)
        yield header
        yield from ending

    def get_manifest(self) -> tuple[Manifest, int]:
        """Return the manifest, and where it begins, after all pieces."""
        assert self._manifest is not None
        return self._manifest, self._manifest_at

    def _pack_file(self, entry: Entry) -> Iterator[bytes]:
        try:
            handle = self._tree.open(entry.path)
        except FileNotFoundError:
            # Removed since: then it is not part of the course any more.
            return
        with handle:
            size = os.fstat(handle.fileno()).st_size
            chunks: Iterator[bytes] = iter(lambda: handle.read(_PIECE), b"")
            for _ in range(_TRIES if size <= _WHOLE else 0):
                content, before = handle.read(size), size
                size = os.fstat(handle.fileno()).st_size
                handle.seek(0)
                if len(content) == before == size:
                    chunks = iter([content])
                    break
            if size > MAX_FILE:
                raise TooLarge("too_large.file", path=entry.path, limit=MAX_FILE)
            yield from self._count(
                self._packer.pack_file(
                    f"{COURSE}/{entry.path}",
                    size,
                    chunks,
                    runs=bool(entry.mode & 0o111),
                    mtime=entry.mtime,
                )
            )

    def _pack_own(self, name: str, path: Path) -> Iterator[bytes]:
        with path.open("rb") as handle:
            size = handle.seek(0, 2)
            handle.seek(0)
            chunks = iter(lambda: handle.read(_PIECE), b"")
            yield from self._count(self._packer.pack_file(name, size, chunks))

    def _count(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._done += len(piece)
            yield piece
        if time.monotonic() > self._next_report:
            self._next_report = time.monotonic() + _PROGRESS_SECONDS
            self._stop_if_cancelled()
            self._ctx.progress(
                min(self._done, self._total) // 1000,
                self._total // 1000 + 1,
                message("backup.creating"),
            )

    def _stop_if_cancelled(self) -> None:
        if self._ctx.cancelled():
            raise Cancelled("job_cancelled.no_backup")

    def _make_manifest(self) -> Manifest:
        course_id = str(self._ctx.course_id)
        with self._ctx.services.db.reading() as session:
            title = find_course(session, course_id).title
            name = audit.name_of(session, course_id, self._ctx.created_by)
        drafts = {e.path.split("/")[1] for e in self._course.folders if _is_source(e.path)}
        return Manifest(
            course=course_id,
            title=title[:2000],
            contents=self._contents,
            taken_at=now(),
            taken_by=self._ctx.created_by,
            taken_by_name=name[:2000],
            ananke=ananke.__version__,
            nbgrader=version_of("nbgrader"),
            gradebook=self._version,
            assignments=len(drafts),
            students=self._students,
            folders=self._packer.folders,
            files=self._packer.files,
        )


def _open_course(root: Path) -> SafeTree:
    if not root.is_dir():
        raise Conflict("course_not_ready.folder")
    return SafeTree(root)


def _is_source(path: str) -> bool:
    return path.startswith(f"{layout.SOURCE}/") and path.count("/") == 1
