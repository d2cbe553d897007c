"""Restores everything in a course from a backup of it."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import update

from kore.service import jobs
from kore.service.backups import repository, students
from kore.service.backups.creation import create_backup
from kore.service.backups.manifest import (
    COURSE,
    EXCHANGE,
    GRADEBOOK,
    PEOPLE,
    Manifest,
    bad_backup,
)
from kore.service.backups.reading import OpenBackup
from kore.service.coursedir import gradebook, transaction
from kore.service.coursedir.gradebook import NoGradebookError
from kore.service.coursedir.safe_tree import FILE_MODE, SafeTree
from kore.service.courses.launches import PROVISION
from kore.service.db.models import Backup, Member
from kore.service.errors import Conflict, Invalid
from kore.service.exchange.exports import check_export, import_course
from kore.service.lifecycle import preconditions
from kore.service.services import Services
from kore.shared.messages import message

_CHECK_SECONDS = 0.5


def queue_restore(
    services: Services, course_id: str, *, by: str, backup_id: str, confirm: str
) -> str:
    """Queue a restore; return the job's id.

    The caller has checked that ``by`` may read the backup. Raises Invalid for a backup of
    another course or without everything, and errors as for ``preconditions.queue_job``.
    """
    row = repository.find_backup(services, backup_id)
    check_restorable(row, course_id)
    return preconditions.queue_job(
        services,
        preconditions.RESTORE,
        course_id,
        by=by,
        confirm=confirm,
        message=message("audit.restore", at=row.taken_at),
        params={"backup_id": backup_id},
    )


def check_restorable(row: Backup, course_id: str) -> None:
    """Raise Invalid where a backup cannot restore this course."""
    if row.contents != "everything":
        raise Invalid("backup_sources_only")
    if row.source_course != course_id:
        raise Invalid("backup_of_another")


def restore(ctx: jobs.JobContext) -> None:
    """Back up what is there, prepare what the backup holds next to it, and swap the two."""
    services, course_id = ctx.services, str(ctx.course_id)
    with (
        OpenBackup(services, str(ctx.params["backup_id"])) as backup,
        SafeTree(services.host.prepare_course(course_id)) as tree,
    ):
        manifest = backup.read_manifest()
        if not ctx.is_final:
            with transaction.prepare_changes(ctx, tree) as new:
                preconditions.stop_if_cancelled(ctx)
                _prepare(ctx, backup, manifest, tree, new)
                ctx.no_return(tops=_list_tops(manifest))
        ctx.progress(3, 4, message("restore.swapping"))
        preconditions.stop_server(services, course_id)
        tops = set(ctx.params["tops"])
        gone = [name for name in transaction.list_root(tree) if name not in tops]
        transaction.replace_root(ctx, tree, gone=gone)
        _import_exchange(ctx, backup, manifest)
        with services.db.session() as session:
            session.execute(
                update(Member).where(Member.course_id == course_id).values(synced_at=None)
            )
            students.restore_students(
                session, course_id, _read_students(backup, manifest), manifest.taken_at
            )
            jobs.enqueue(session, PROVISION, course_id=course_id, created_by="kore", coalesce=True)
        transaction.clear(tree, ctx.job_id)
    services.host.hand_over(course_id)
    ctx.progress(4, 4, message("restore.done", at=manifest.taken_at))


def _list_tops(manifest: Manifest) -> list[str]:
    folders, files = manifest.list_below(COURSE)
    return sorted({p.split("/")[1] for p in (*folders, *(file.path for file in files))})


def _prepare(
    ctx: jobs.JobContext, backup: OpenBackup, manifest: Manifest, tree: SafeTree, new: str
) -> None:
    services, course_id = ctx.services, str(ctx.course_id)
    if manifest.course != course_id or manifest.contents != "everything":
        raise bad_backup("backup.not_as_listed")
    with repository.open_store(services).scratch() as scratch:
        ctx.progress(0, 4, message("restore.checking"))
        _check_gradebook(backup, manifest, scratch, course_id)
        _read_students(backup, manifest)
        if manifest.list_below(EXCHANGE)[1]:
            check_export(_unpack_exchange(backup, manifest, scratch))
    ctx.progress(1, 4, message("closing.stopping_server"))
    preconditions.close_course(ctx)
    ctx.progress(1, 4, message("restore.backing_up"))
    backup_id = create_backup(ctx, "everything", "before_restore", whole=True)
    row = repository.find_backup(services, backup_id)
    ctx.item(backup_id, row.title, "backed_up", message("backup.before"), backup=backup_id)
    ctx.progress(2, 4, message("restore.preparing"))
    transaction.check_movable(tree, transaction.list_root(tree))
    folders, files = manifest.list_below(COURSE)
    for path in folders:
        tree.make_folder(new + path[len(COURSE) :])
    next_check = 0.0
    for file in files:
        if time.monotonic() > next_check:
            preconditions.stop_if_cancelled(ctx)
            next_check = time.monotonic() + _CHECK_SECONDS
        mode = FILE_MODE | (0o111 if file.runs else 0)
        tree.write(new + file.path[len(COURSE) :], backup.pieces(file), mode, sync=False)
    tree.flush()


def _check_gradebook(backup: OpenBackup, manifest: Manifest, scratch: Path, course_id: str) -> None:
    """Raise BadArchive or Conflict unless this nbgrader can use the backup's gradebook."""
    for file in manifest.files:
        if file.path != GRADEBOOK:
            continue
        with (scratch / "gradebook").open("xb") as handle:
            for piece in backup.pieces(file):
                handle.write(piece)
        try:
            version, _ = gradebook.examine(scratch / "gradebook", course_id)
        except NoGradebookError as error:
            raise bad_backup("backup.gradebook_unusable", reason=error.message) from error
        if version != gradebook.current_version():
            raise Conflict("gradebook_version", version=manifest.nbgrader)


def _unpack_exchange(backup: OpenBackup, manifest: Manifest, scratch: Path) -> Path:
    folder = scratch / EXCHANGE
    folder.mkdir(mode=0o700)
    for file in manifest.list_below(EXCHANGE)[1]:
        if file.path.count("/") != 1:
            raise bad_backup("backup.exchange_folders")
        with (folder / file.path.rpartition("/")[2]).open("xb") as handle:
            for piece in backup.pieces(file):
                handle.write(piece)
    return folder


def _read_students(backup: OpenBackup, manifest: Manifest) -> list[students.Student]:
    """Return the students of the course when the backup was taken."""
    for file in manifest.files:
        if file.path == PEOPLE:
            return students.parse_students(backup.read_bytes(file, limit=students.MAX_BYTES))
    return []


def _import_exchange(ctx: jobs.JobContext, backup: OpenBackup, manifest: Manifest) -> None:
    """Restore assignments, submissions and feedback; they were checked before."""
    if not manifest.list_below(EXCHANGE)[1]:
        return
    with repository.open_store(ctx.services).scratch() as scratch:
        folder = _unpack_exchange(backup, manifest, scratch)
        try:
            number = import_course(ctx.services, str(ctx.course_id), folder)
        except Invalid as error:
            ctx.item("exchange", "", "failed", error.message)
        else:
            ctx.item("exchange", "", "done", message("restore.archives", n=number))
