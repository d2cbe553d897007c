"""Backups as a source: what assignments are in them, without unpacking anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from types import TracebackType
from typing import Self

from sqlalchemy import or_, select

from kore.service.backups import manifest, repository
from kore.service.backups.manifest import File, Manifest, bad_backup
from kore.service.coursedir.tree import FILE_MODE, SafeTree
from kore.service.db.models import Backup, Course
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.shared.names import shown

_PIECE = 1024 * 1024
_GONE = ~select(Course.id).where(Course.id == Backup.course_id).exists()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a backup's assignments. ``path`` is below ``source/``: ``ps1/squares.ipynb``."""

    path: str
    size: int
    at: int
    sha256: str

    @property
    def assignment(self) -> str:
        """The assignment that the file belongs to; "" for one beside the assignments."""
        return self.path.partition("/")[0] if "/" in self.path else ""


@dataclass(frozen=True, slots=True)
class BackupSource:
    """A backup and the files of its assignments, by path."""

    id: str
    course: str
    title: str
    taken_at: datetime
    files: tuple[SourceFile, ...]


def sources_of(
    services: Services, courses: Iterable[str], *, gone_of: str = ""
) -> list[BackupSource]:
    """Return the backups that are kept for some courses, the latest taken first.

    With ``gone_of`` also those that this user keeps of courses that are gone. Nothing but
    the database is read.
    """
    with services.db.reading() as session:
        rows = session.scalars(
            select(Backup)
            .where(or_(Backup.course_id.in_(list(courses)), (Backup.kept_by == gone_of) & _GONE))
            .order_by(Backup.taken_at.desc(), Backup.id)
        )
        return [_source(row) for row in rows]


def source(services: Services, backup_id: str) -> BackupSource:
    """Return one backup. Raises the 404 of one that is not there; asks for nobody's rights."""
    return _source(repository.find(services, backup_id))


def may_read(services: Services, backup_id: str, *, user: str, teaches: Iterable[str]) -> bool:
    """Say whether a user, who teaches some courses, may see a backup and what is in it.

    A backup of a course that is gone is for whoever made it.
    """
    with services.db.reading() as session:
        return (
            session.scalar(
                select(Backup.id).where(
                    Backup.id == backup_id,
                    or_(
                        Backup.course_id.in_([*teaches, user]),
                        (Backup.kept_by == user) & _GONE,
                    ),
                )
            )
            is not None
        )


class OpenBackup:
    """A backup whose files can be read, each by itself. A context manager."""

    def __init__(self, services: Services, backup_id: str) -> None:
        self._row = repository.find(services, backup_id)
        self.source = _source(self._row)
        self._services = services
        self._handle: BufferedReader | None = None

    def __enter__(self) -> Self:
        self._handle, _ = opened(self._services, self._row.id)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    def read_bytes(self, file: SourceFile | File, *, limit: int) -> bytes:
        """Return a file's content. Raises KoreError ``too_large`` over ``most`` bytes."""
        if file.size > limit:
            raise KoreError(
                413, "too_large", f"{file.path} is larger than {limit} bytes.", "Make it smaller."
            )
        return b"".join(self.pieces(file))

    def pieces(self, file: SourceFile | File) -> Iterator[bytes]:
        """Yield a file's content; raises KoreError at its end where it is damaged."""
        assert self._handle is not None
        digest, position, left = hashlib.sha256(), file.at, file.size
        while left:
            self._handle.seek(position)
            piece = self._handle.read(min(_PIECE, left))
            if not piece:
                break
            digest.update(piece)
            position, left = position + len(piece), left - len(piece)
            yield piece
        if left or digest.hexdigest() != file.sha256:
            raise bad_backup(f"{shown(file.path)} is damaged in the backup.")

    def copy_to(self, folder: str, tree: SafeTree, target: str, *, sync: bool = True) -> int:
        """Copy the files below a folder of the sources (``ps1``); return the bytes."""
        inside, copied = folder + "/", 0
        for file in self.source.files:
            if file.path.startswith(inside):
                place = target + file.path[len(folder) :]
                copied += tree.write(place, self.pieces(file), FILE_MODE, sync=sync)
        return copied

    def manifest(self) -> Manifest:
        """Return the whole manifest. Raises KoreError where it is damaged."""
        assert self._handle is not None
        self._handle.seek(self._row.manifest_at)
        text = self._handle.read(min(manifest.MOST_BYTES, self._row.size - self._row.manifest_at))
        return manifest.parsed(text.rstrip(b"\0"))


def opened(services: Services, backup_id: str) -> tuple[BufferedReader, Backup]:
    """Open a backup's archive to read all of it; the second is its row."""
    row = repository.find(services, backup_id)
    try:
        return repository.store(services).open(row.course_id, row.id), row
    except FileNotFoundError as error:
        repository.find(services, backup_id)  # deleted since the first look: says so
        raise KoreError(
            500,
            "backup_missing",
            "The file of this backup is gone.",
            "Tell the administrator of this system: a disk may be damaged.",
        ) from error


def _source(row: Backup) -> BackupSource:
    return BackupSource(
        id=row.id,
        course=row.course_id,
        title=row.title,
        taken_at=row.taken_at,
        files=tuple(SourceFile(*file) for file in row.sources),
    )
