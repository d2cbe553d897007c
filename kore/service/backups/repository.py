"""Where backups are kept: archives in Kore's state, an index of them, and a bound on both.

An archive is made durable under a name of its own before the index names it, and goes after
the index has forgotten it: the same store as the exchange's, in another folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, defer

from kore.service import audit
from kore.service.backups.archives import Checked, Checker, Own
from kore.service.backups.manifest import SOURCES, Manifest
from kore.service.backups.schemas import BackupInfo, BackupList
from kore.service.db.models import Backup
from kore.service.errors import KoreError
from kore.service.exchange.archives import Inspector, in_words
from kore.service.exchange.store import Archive, Store
from kore.service.services import Services
from kore.shared.messages import plain

FOLDER = "backups"


def store(services: Services, inspector: Callable[..., Inspector] = Own) -> Store:
    """Return the store of backups' archives."""
    settings = services.settings
    return Store(settings.state_dir / FOLDER, settings.limits, inspector)


def unknown_backup() -> KoreError:
    """Return the error for a backup that is not there, or not for this caller to know of."""
    return KoreError(
        404, "backup_unknown", "There is no such backup for you.", "Look at the list of backups."
    )


def no_room(services: Services) -> KoreError:
    """Return the error for backups that would take more than a course may have."""
    most = in_words(services.settings.limits.backups)
    return KoreError(
        413,
        "backup_quota",
        f"The backups of this course would take more than the {most} that they may.",
        "Delete backups that are not needed any more; download them first, to keep them. The "
        "administrator of this system can raise the limit (KORE_LIMIT_BACKUPS).",
    )


def disk_full() -> KoreError:
    """Return the error for a disk with no room for a backup."""
    return KoreError(
        507,
        "disk_full",
        "The disk of this system is full; no backup was stored, and nothing was changed.",
        "Tell the administrator of this system: space must be freed first.",
    )


def used(session: Session, course_id: str) -> int:
    """Return how many bytes the backups of a course take."""
    total = select(func.sum(Backup.size)).where(Backup.course_id == course_id)
    return int(session.scalar(total) or 0)


def left(services: Services, course_id: str) -> int:
    """Return how many bytes more the backups of a course may take."""
    with services.db.reading() as session:
        return max(0, services.settings.limits.backups - used(session, course_id))


def keep(
    services: Services,
    course_id: str,
    pieces: Iterable[bytes],
    *,
    by: str,
    origin: str,
    own: Callable[[], tuple[Manifest, int]] | None = None,
    blob: str = "",
) -> str:
    """Store an archive that comes in pieces; return the backup's id.

    ``own`` tells the manifest and its place once all pieces of an archive of Kore's making
    are there; any other archive is checked. Raises KoreError, and keeps nothing then, for an
    archive that is no good, or too large for the course or the disk.
    """
    shelf = store(services, Own if own else Checker)
    try:
        bounded = _bounded(pieces, left(services, course_id), no_room(services))
        with shelf.receiving(course_id, bounded, blob) as archive:
            try:
                _name(services, archive, by=by, origin=origin, own=own)
            except BaseException:
                _discard(services, shelf, archive)
                raise
    except OperationalError as error:
        if "full" in str(error.orig):
            raise disk_full() from error
        raise
    except KoreError as error:
        raise (disk_full() if error.code == "quota" else error) from error
    return archive.blob


def _name(
    services: Services,
    archive: Archive,
    *,
    by: str,
    origin: str,
    own: Callable[[], tuple[Manifest, int]] | None,
) -> None:
    if own is not None:
        told, at = own()
    else:
        assert isinstance(archive.contents, Checked)
        assert archive.contents.manifest is not None
        told, at = archive.contents.manifest, archive.contents.manifest_at
    with services.db.session() as session:
        services.db.lock_queue(session)
        most = services.settings.limits.backups
        if used(session, archive.course_id) + archive.size > most:
            raise no_room(services)
        session.add(
            Backup(
                id=archive.blob,
                course_id=archive.course_id,
                source_course=told.course,
                title=told.title,
                contents=told.contents,
                origin=origin,
                size=archive.size,
                sha256=archive.sha256,
                taken_at=told.taken_at,
                taken_by=told.taken_by,
                taken_by_name=told.taken_by_name,
                kept_by=by,
                assignments=told.assignments,
                students=told.students,
                manifest_at=at,
                sources=[
                    [file.path[len(SOURCES) :], file.size, file.at, file.sha256]
                    for file in told.sources()
                ],
            )
        )


def _bounded(pieces: Iterable[bytes], most: int, error: KoreError) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most:
            raise error
        yield piece


def _discard(services: Services, shelf: Store, archive: Archive) -> None:
    """Remove an archive whose row was not committed; see ``exchange.index.discard``."""
    try:
        with services.db.reading() as session:
            named = session.scalar(select(Backup.id).where(Backup.id == archive.blob))
    except OperationalError:
        return
    if named is None:
        shelf.remove(archive.course_id, archive.blob)


def find(services: Services, backup_id: str) -> Backup:
    """Return a backup's row. Raises the 404 of one that is not there."""
    with services.db.reading() as session:
        row = session.get(Backup, backup_id)
    if row is None:
        raise unknown_backup()
    return row


def listed(services: Services, course_id: str, *, user: str) -> BackupList:
    """List the backups that are kept for a course, the latest taken first."""
    with services.db.reading() as session:
        rows = session.scalars(
            select(Backup)
            .where(Backup.course_id == course_id)
            .options(defer(Backup.sources))
            .order_by(Backup.taken_at.desc(), Backup.id)
        )
        return BackupList(
            backups=[info(row, user) for row in rows],
            used=used(session, course_id),
            quota=services.settings.limits.backups,
        )


def info(row: Backup, user: str) -> BackupInfo:
    """Return a backup as a user sees it."""
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


def delete(services: Services, backup_id: str, *, by: str) -> None:
    """Delete a backup. Whoever downloads it at this moment reads on."""
    row = find(services, backup_id)
    words = f"Deleted the backup of {row.taken_at:%Y-%m-%d %H:%M} UTC"
    with audit.recording(
        services.db, row.course_id, by=by, action="backup.delete", message=plain(words)
    ):
        with services.db.session() as session:
            there = session.get(Backup, backup_id)
            if there is None:
                raise unknown_backup()
            session.delete(there)
        shelf = store(services)
        shelf.remove(row.course_id, row.id)
        shelf.remove_folder(row.course_id)


def sweep(services: Services) -> int:
    """Clear away what a kill has left; called at each start. Return how many files."""

    def named() -> Iterator[str]:
        with services.db.reading() as session:
            yield from session.scalars(select(Backup.id))

    return store(services).sweep(named())
