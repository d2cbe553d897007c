"""The repository of backups: archives in Kore's state, an index of them, and a limit on both.

An archive is made durable under a name of its own before the index names it, and removed after
the index has forgotten it: the same store as the exchange's, in another folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, defer

from kore.service import audit
from kore.service.backups.archives import (
    BackupContents,
    BackupInspector,
    TrustingInspector,
)
from kore.service.backups.manifest import SOURCES, Manifest
from kore.service.backups.schemas import BackupInfo, BackupList
from kore.service.db.models import Backup
from kore.service.diskspace import reporting_disk_full
from kore.service.errors import KoreError, NotFound, QuotaExceeded
from kore.service.exchange.archives import Inspector
from kore.service.exchange.store import Archive, Store
from kore.service.services import Services
from kore.shared.messages import message

FOLDER = "backups"
OwnManifest = Callable[[], tuple[Manifest, int]]
"""Returns the manifest of an archive that Kore packs, and where it begins, after all pieces."""


def open_store(
    services: Services, inspector: Callable[..., Inspector] = TrustingInspector
) -> Store:
    """Return the store of backups' archives."""
    settings = services.settings
    return Store(settings.state_dir / FOLDER, settings.limits, inspector)


def quota_exceeded(services: Services) -> QuotaExceeded:
    """Return the error for backups that would take more than a course may have."""
    return QuotaExceeded("quota.backups", limit=services.settings.limits.backups)


def measure_room(services: Services, course_id: str) -> int:
    """Return how many bytes more the backups of a course may take."""
    with services.db.reading() as session:
        return max(0, services.settings.limits.backups - _measure_used(session, course_id))


def store_backup(
    services: Services,
    course_id: str,
    pieces: Iterable[bytes],
    *,
    by: str,
    origin: str,
    own: OwnManifest | None = None,
    blob: str = "",
) -> str:
    """Store an archive that comes in pieces; return the backup's id.

    With ``own`` the archive is of Kore's making; any other is checked. Raises BadArchive,
    QuotaExceeded and DiskFull, and keeps nothing then.
    """
    store = open_store(services, TrustingInspector if own else BackupInspector)
    room = measure_room(services, course_id)
    bounded = _bound(pieces, room, quota_exceeded(services))
    with store.receiving(course_id, bounded, blob) as archive:
        try:
            with reporting_disk_full():
                _add_row(services, archive, by=by, origin=origin, own=own)
        except BaseException:
            _discard(services, store, archive)
            raise
    return archive.blob


def upload_backup(
    services: Services, course_id: str, pieces: Iterable[bytes], *, by: str
) -> BackupInfo:
    """Store an archive from outside for a course. Errors as for ``store_backup``."""
    with audit.recording(
        services.db,
        course_id,
        by=by,
        action="backup.upload",
        message=message("audit.backup_upload"),
    ):
        backup_id = store_backup(services, course_id, pieces, by=by, origin="uploaded")
    return _to_schema(find_backup(services, backup_id), by)


def find_backup(services: Services, backup_id: str) -> Backup:
    """Return a backup's row. Raises NotFound."""
    with services.db.reading() as session:
        row = session.get(Backup, backup_id)
    if row is None:
        raise NotFound("backup_unknown")
    return row


def list_backups(services: Services, course_id: str, *, user: str) -> BackupList:
    """Return the backups that are kept for a course, the latest first."""
    with services.db.reading() as session:
        rows = session.scalars(
            select(Backup)
            .where(Backup.course_id == course_id)
            .options(defer(Backup.sources))
            .order_by(Backup.taken_at.desc(), Backup.id)
        )
        return BackupList(
            backups=[_to_schema(row, user) for row in rows],
            used=_measure_used(session, course_id),
            quota=services.settings.limits.backups,
        )


def delete_backup(services: Services, backup_id: str, *, by: str) -> None:
    """Delete a backup; a download of it that has begun goes on. Raises NotFound."""
    row = find_backup(services, backup_id)
    with audit.recording(
        services.db,
        row.course_id,
        by=by,
        action="backup.delete",
        message=message("audit.backup_delete", at=row.taken_at),
    ):
        with services.db.session() as session:
            there = session.get(Backup, backup_id)
            if there is None:
                raise NotFound("backup_unknown")
            session.delete(there)
        store = open_store(services)
        store.remove(row.course_id, row.id)
        store.remove_folder(row.course_id)


def sweep(services: Services) -> int:
    """Remove what killed writers left; called at each start. Return how many files."""

    def iterate_named() -> Iterator[str]:
        with services.db.reading() as session:
            yield from session.scalars(select(Backup.id))

    return open_store(services).sweep(iterate_named())


def _measure_used(session: Session, course_id: str) -> int:
    total = select(func.sum(Backup.size)).where(Backup.course_id == course_id)
    return int(session.scalar(total) or 0)


def _add_row(
    services: Services, archive: Archive, *, by: str, origin: str, own: OwnManifest | None
) -> None:
    if own is not None:
        manifest, manifest_at = own()
    else:
        assert isinstance(archive.contents, BackupContents)
        assert archive.contents.manifest is not None
        manifest, manifest_at = archive.contents.manifest, archive.contents.manifest_at
    with services.db.session() as session:
        services.db.lock_queue(session)
        limit = services.settings.limits.backups
        if _measure_used(session, archive.course_id) + archive.size > limit:
            raise quota_exceeded(services)
        session.add(
            Backup(
                id=archive.blob,
                course_id=archive.course_id,
                source_course=manifest.course,
                title=manifest.title,
                contents=manifest.contents,
                origin=origin,
                size=archive.size,
                sha256=archive.sha256,
                taken_at=manifest.taken_at,
                taken_by=manifest.taken_by,
                taken_by_name=manifest.taken_by_name,
                kept_by=by,
                assignments=manifest.assignments,
                students=manifest.students,
                manifest_at=manifest_at,
                sources=[
                    [file.path[len(SOURCES) :], file.size, file.at, file.sha256]
                    for file in manifest.list_sources()
                ],
            )
        )


def _bound(pieces: Iterable[bytes], limit: int, error: KoreError) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise error
        yield piece


def _discard(services: Services, store: Store, archive: Archive) -> None:
    """Remove an archive whose row was not committed; see ``exchange.index.discard_archive``."""
    try:
        with services.db.reading() as session:
            named = session.scalar(select(Backup.id).where(Backup.id == archive.blob))
    except OperationalError:
        return
    if named is None:
        store.remove(archive.course_id, archive.blob)


def _to_schema(row: Backup, user: str) -> BackupInfo:
    return BackupInfo(
        id=row.id,
        course=row.source_course,
        title=row.title,
        contents=row.contents,
        origin=row.origin,
        size=row.size,
        sha256=row.sha256,
        taken_at=row.taken_at,
        taken_by=row.taken_by,
        taken_by_name=row.taken_by_name,
        assignments=row.assignments,
        students=row.students,
        mine=row.kept_by == user,
    )
