"""Brings everything in a course back to what a backup of it holds."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import update

from kore.service import jobs
from kore.service.backups import people, repository
from kore.service.backups.manifest import (
    COURSE,
    EXCHANGE,
    GRADEBOOK,
    PEOPLE,
    Manifest,
    bad_backup,
)
from kore.service.backups.reading import OpenBackup
from kore.service.backups.taking import take
from kore.service.coursedir import gradebook, swap
from kore.service.coursedir.gradebook import NoGradebookError
from kore.service.coursedir.tree import FILE_MODE, SafeTree
from kore.service.courses.launches import PROVISION
from kore.service.db.models import Backup, Member
from kore.service.errors import Cancelled, Invalid, KoreError
from kore.service.exchange.courses import check_export, import_course
from kore.service.lifecycle import closing
from kore.service.services import Services
from kore.shared.messages import plain

_WRONG = 422
_LOOK_SECONDS = 0.5


def queue(services: Services, course_id: str, *, by: str, backup_id: str, confirm: str) -> str:
    """Queue a restore; return the job's id.

    The caller has checked that ``by`` may read the backup. Raises KoreError for a backup of
    another course or without everything, and as ``closing.queue`` does.
    """
    row = repository.find(services, backup_id)
    check_fits(row, course_id)
    return closing.queue(
        services,
        closing.RESTORE,
        course_id,
        by=by,
        confirm=confirm,
        message=plain(f"Restored everything as of {row.taken_at:%Y-%m-%d %H:%M} UTC"),
        params={"backup_id": backup_id},
    )


def check_fits(row: Backup, course_id: str) -> None:
    """Raise KoreError where a whole course cannot be brought back from a backup."""
    if row.contents != "everything":
        raise KoreError(
            422,
            "backup_sources_only",
            "This backup holds assignments only.",
            "Copy its assignments into the course.",
        )
    if row.source_course != course_id:
        raise KoreError(
            422,
            "backup_of_another",
            "This backup is of another course: students' work is restored only where it was done.",
            "Copy its assignments into the course.",
        )


def restore(ctx: jobs.JobContext) -> None:
    """Back up what is there, get everything ready beside it, and exchange the two."""
    services, course_id = ctx.services, str(ctx.course_id)
    with (
        OpenBackup(services, str(ctx.params["backup_id"])) as backup,
        SafeTree(services.host.prepare_course(course_id)) as tree,
    ):
        told = backup.manifest()
        if not ctx.is_final:
            with swap.getting_ready(ctx, tree) as new:
                _get_ready(ctx, backup, told, tree, new)
                ctx.no_return(tops=_tops(told))
        ctx.progress(3, 4, plain("Exchanging what is there for what was"))
        closing.stop_server(services, course_id)
        tops = set(ctx.params["tops"])
        gone = [name for name in swap.tops(tree) if name not in tops]
        swap.put_in_place(tree, ctx.job_id, gone=gone)
        _exchange(ctx, backup, told)
        with services.db.session() as session:
            session.execute(
                update(Member).where(Member.course_id == course_id).values(synced_at=None)
            )
            people.bring_back(session, course_id, _students(backup, told), told.taken_at)
            jobs.enqueue(session, PROVISION, course_id=course_id, created_by="kore", coalesce=True)
        swap.clear(tree, ctx.job_id)
    services.host.hand_over(course_id)
    ctx.progress(4, 4, plain(f"The course is as it was on {told.taken_at:%Y-%m-%d at %H:%M} UTC."))


def _tops(told: Manifest) -> list[str]:
    folders, files = told.below(COURSE)
    return sorted({p.split("/")[1] for p in (*folders, *(file.path for file in files))})


def _get_ready(
    ctx: jobs.JobContext, backup: OpenBackup, told: Manifest, tree: SafeTree, new: str
) -> None:
    services, course_id = ctx.services, str(ctx.course_id)
    if told.course != course_id or told.contents != "everything":
        raise bad_backup("The backup does not hold what the list says.")
    with repository.store(services).scratch() as scratch:
        ctx.progress(0, 4, plain("Checking the backup"))
        _check_gradebook(backup, told, scratch, course_id)
        _students(backup, told)
        if told.below(EXCHANGE)[1]:
            check_export(_unpack_exchange(backup, told, scratch))
    ctx.progress(1, 4, plain("Stopping the course's JupyterLab"))
    closing.shut(ctx)
    ctx.progress(1, 4, plain("Backing up what is there"))
    made = take(ctx, "everything", "before_restore", whole=True)
    ctx.item(made, "Backup", "backed_up", plain("Backed up before"), backup=made)
    ctx.progress(2, 4, plain("Getting ready what was in the backup"))
    swap.check_movable(tree, swap.tops(tree))
    folders, files = told.below(COURSE)
    for path in folders:
        tree.make_folder(new + path[len(COURSE) :])
    next_look = 0.0
    for file in files:
        if time.monotonic() > next_look:
            if ctx.cancelled():
                raise Cancelled("job_cancelled.unchanged")
            next_look = time.monotonic() + _LOOK_SECONDS
        mode = FILE_MODE | (0o111 if file.runs else 0)
        tree.write(new + file.path[len(COURSE) :], backup.pieces(file), mode, sync=False)
    tree.flush()


def _check_gradebook(backup: OpenBackup, told: Manifest, scratch: Path, course_id: str) -> None:
    """Raise KoreError unless this nbgrader can work with the backup's gradebook."""
    for file in told.files:
        if file.path != GRADEBOOK:
            continue
        with (scratch / "gradebook").open("xb") as handle:
            for piece in backup.pieces(file):
                handle.write(piece)
        try:
            version, _ = gradebook.examine(scratch / "gradebook", course_id)
        except NoGradebookError as error:
            raise bad_backup(f"The backup's gradebook cannot be used: {error}.") from error
        if version != gradebook.current_version():
            raise KoreError(
                409,
                "gradebook_version",
                "The gradebook in this backup is of another version of nbgrader "
                f"({told.nbgrader}).",
                "Ask the administrator of this system for that version, or copy the assignments.",
            )


def _unpack_exchange(backup: OpenBackup, told: Manifest, scratch: Path) -> Path:
    folder = scratch / EXCHANGE
    folder.mkdir(mode=0o700)
    for file in told.below(EXCHANGE)[1]:
        if file.path.count("/") != 1:
            raise bad_backup("The backup's exchange has folders in it.")
        with (folder / file.path.rpartition("/")[2]).open("xb") as handle:
            for piece in backup.pieces(file):
                handle.write(piece)
    return folder


def _students(backup: OpenBackup, told: Manifest) -> list[people.Student]:
    """Return who was a student of the course."""
    found = [file for file in told.files if file.path == PEOPLE]
    return people.parsed(backup.read_bytes(found[0], limit=people.MOST_BYTES)) if found else []


def _exchange(ctx: jobs.JobContext, backup: OpenBackup, told: Manifest) -> None:
    """Bring back what was handed out and in; it was found to be good before."""
    if not told.below(EXCHANGE)[1]:
        return
    with repository.store(ctx.services).scratch() as scratch:
        folder = _unpack_exchange(backup, told, scratch)
        try:
            number = import_course(ctx.services, str(ctx.course_id), folder)
        except KoreError as error:
            if not isinstance(error, Invalid):
                raise
            ctx.item("exchange", "Exchange", "failed", error.message)
        else:
            ctx.item("exchange", "Exchange", "done", plain(f"{number} archives"))
