"""Reads backups: which assignments are in them, and single files, without unpacking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from types import TracebackType
from typing import Self

from sqlalchemy import or_, select

from kore.service import audit
from kore.service.backups import manifest, repository
from kore.service.backups.manifest import File, Manifest, bad_backup
from kore.service.db.models import Backup, Course
from kore.service.errors import ServerFault, TooLarge
from kore.service.services import Services
from kore.shared.messages import message

_PIECE = 1024 * 1024
_COURSE_GONE = ~select(Course.id).where(Course.id == Backup.course_id).exists()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a backup's assignments. ``path`` is below ``source/``: ``ps1/squares.ipynb``."""

    path: str
    size: int
    at: int
    sha256: str

    @property
    def assignment(self) -> str:
        """The assignment that the file belongs to; "" for one next to the assignments."""
        return self.path.partition("/")[0] if "/" in self.path else ""


@dataclass(frozen=True, slots=True)
class BackupSource:
    """A backup and the files of its assignments, by path."""

    id: str
    course: str
    title: str
    taken_at: datetime
    files: tuple[SourceFile, ...]


def list_sources(
    services: Services, courses: Iterable[str], *, gone_of: str = ""
) -> list[BackupSource]:
    """Return the backups that are kept for some courses, the latest first.

    With ``gone_of`` also those that this user keeps of courses that are gone. Nothing but
    the database is read.
    """
    with services.db.reading() as session:
        own = (Backup.kept_by == gone_of) & _COURSE_GONE
        rows = session.scalars(
            select(Backup)
            .where(or_(Backup.course_id.in_(list(courses)), own))
            .order_by(Backup.taken_at.desc(), Backup.id)
        )
        return [_to_source(row) for row in rows]


def find_source(services: Services, backup_id: str) -> BackupSource:
    """Return one backup. Raises NotFound; does not check who asks."""
    return _to_source(repository.find_backup(services, backup_id))


def may_read(services: Services, backup_id: str, *, user: str, teaches: Iterable[str]) -> bool:
    """Whether a user, who teaches some courses, may read a backup.

    A backup of a course that is gone is for the person who created it.
    """
    with services.db.reading() as session:
        return (
            session.scalar(
                select(Backup.id).where(
                    Backup.id == backup_id,
                    or_(
                        Backup.course_id.in_([*teaches, user]),
                        (Backup.kept_by == user) & _COURSE_GONE,
                    ),
                )
            )
            is not None
        )


class OpenBackup:
    """A backup whose files can be read, each by itself. A context manager."""

    def __init__(self, services: Services, backup_id: str) -> None:
        self._row = repository.find_backup(services, backup_id)
        self.source = _to_source(self._row)
        self._services = services
        self._handle: BufferedReader | None = None

    def __enter__(self) -> Self:
        self._handle = _open(self._services, self._row)
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
        """Return a file's content. Raises TooLarge over ``limit`` bytes."""
        if file.size > limit:
            raise TooLarge("too_large.file", path=file.path, limit=limit)
        return b"".join(self.pieces(file))

    def pieces(self, file: SourceFile | File) -> Iterator[bytes]:
        """Yield a file's content; raises BadArchive at its end where it is damaged."""
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
            raise bad_backup("backup.file_damaged", file=file.path)

    def read_manifest(self) -> Manifest:
        """Return the whole manifest. Raises BadArchive where it is damaged."""
        assert self._handle is not None
        self._handle.seek(self._row.manifest_at)
        text = self._handle.read(min(manifest.MAX_BYTES, self._row.size - self._row.manifest_at))
        return manifest.parse_manifest(text.rstrip(b"\0"))


def open_archive(services: Services, backup_id: str, *, by: str) -> tuple[BufferedReader, Backup]:
    """Open a backup's archive for someone who downloads it; the second is its row."""
    row = repository.find_backup(services, backup_id)
    handle = _open(services, row)
    with services.db.session() as session:
        audit.record(
            session,
            row.course_id,
            by=by,
            action="backup.download",
            message=message(f"audit.backup_download.{row.contents}", at=row.taken_at),
        )
    return handle, row


def _open(services: Services, row: Backup) -> BufferedReader:
    try:
        return repository.open_store(services).open(row.course_id, row.id)
    except FileNotFoundError as error:
        repository.find_backup(services, row.id)  # raises where it was deleted meanwhile
        raise ServerFault("backup_missing") from error


def _to_source(row: Backup) -> BackupSource:
    return BackupSource(
        id=row.id,
        course=row.course_id,
        title=row.title,
        taken_at=row.taken_at,
        files=tuple(SourceFile(*file) for file in row.sources),
    )
