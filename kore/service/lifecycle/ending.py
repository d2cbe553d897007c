"""Resets courses, and deletes them: with a backup first, all or nothing.

Up to the point of no return a failure, a kill or a cancel leaves the course as it was. Beyond
it every step may be repeated, and the job is repeated until all are done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.creation import create_backup
from kore.service.coursedir import gradebook, transaction
from kore.service.coursedir.layout import (
    DERIVED,
    GRADEBOOK,
    GRADEBOOK_FILES,
    gradebook_path,
)
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.courses.launches import PROVISION
from kore.service.courses.provision import formgrade_group, student_group
from kore.service.db.models import Column, Course, Member, Score, now
from kore.service.errors import KoreError
from kore.service.exchange.exports import delete_course_archives
from kore.service.lifecycle import preconditions
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.roles import Role

log = logging.getLogger(__name__)

_REQUESTED = {preconditions.RESET: "audit.reset", preconditions.DELETE: "audit.delete"}
_PIECE = 1024 * 1024


def queue_ending(
    services: Services, kind: jobs.JobKind, course_id: str, *, by: str, confirm: str, backup: bool
) -> str:
    """Queue the reset or the deletion of a course; return the job's id.

    Errors as for ``preconditions.queue_job``.
    """
    requested = _REQUESTED[kind] if backup else f"{_REQUESTED[kind]}.no_backup"
    return preconditions.queue_job(
        services,
        kind,
        course_id,
        by=by,
        confirm=confirm,
        message=message(requested),
        params={"backup": backup},
    )


def reset(ctx: jobs.JobContext) -> None:
    """Remove students and all their work from a course; its sources stay."""
    services, course_id = ctx.services, str(ctx.course_id)
    removed = [*DERIVED, *(name for name in GRADEBOOK_FILES if name != GRADEBOOK)]
    with SafeTree(services.host.course_root(course_id)) as tree:
        if not ctx.is_final:
            with transaction.prepare_changes(ctx, tree) as new:
                preconditions.stop_if_cancelled(ctx)
                _back_up(ctx, "before_reset")
                transaction.check_movable(tree, removed)
                ctx.progress(1, 3, message("reset.gradebook"))
                tree.write(f"{new}/{GRADEBOOK}", _make_gradebook(services, course_id))
                ctx.no_return(since=now().isoformat())
        ctx.progress(2, 3, message("reset.students"))
        preconditions.stop_server(services, course_id)
        transaction.replace_root(ctx, tree, gone=removed)
        delete_course_archives(services, course_id)
        students = set(services.hub.group_members(student_group(course_id))) - {course_id}
        services.hub.remove_from_group(student_group(course_id), sorted(students))
        with services.db.session() as session:
            _delete_people(session, course_id, _since(ctx), keep=Role.INSTRUCTOR)
            _enrol_again(session, course_id)
        transaction.clear(tree, ctx.job_id)
    services.host.hand_over(course_id)
    ctx.progress(3, 3, message("reset.done"))


def delete(ctx: jobs.JobContext) -> None:
    """Delete a course: files, exchange, hub user, groups, shares, account, rows."""
    services, course_id = ctx.services, str(ctx.course_id)
    root = services.host.course_root(course_id)
    with services.db.reading() as session:
        if session.get(Course, course_id) is None:
            return
    if not ctx.is_final:
        _back_up(ctx, "before_delete", possible=root.is_dir())
        ctx.no_return(since=now().isoformat())
    ctx.progress(2, 3, message("delete.removing"))
    preconditions.stop_server(services, course_id)
    delete_course_archives(services, course_id)
    _empty_folder(services, course_id)
    for group in (formgrade_group(course_id), student_group(course_id)):
        services.hub.delete_group(group)
    services.hub.delete_user(course_id)
    services.host.remove_course(course_id)
    with services.db.session() as session:
        course = find_course(session, course_id)
        _delete_people(session, course_id, _since(ctx), keep=None)
        if session.scalar(select(Member.user).where(Member.course_id == course_id).limit(1)):
            # Someone has opened the activity since: the course starts again for them.
            course.ready_at = None
            session.execute(delete_rows(Column).where(Column.course_id == course_id))
            _enrol_again(session, course_id)
        else:
            session.delete(course)
    ctx.progress(3, 3, message("delete.done"))


def _back_up(ctx: jobs.JobContext, origin: str, *, possible: bool = True) -> None:
    ctx.progress(0, 3, message("closing.stopping_server"))
    preconditions.close_course(ctx)
    if ctx.params.get("backup", True) and possible:
        backup_id = create_backup(ctx, "everything", origin, whole=True)
        row = repository.find_backup(ctx.services, backup_id)
        ctx.item(backup_id, row.title, "backed_up", message("backup.before"), backup=backup_id)


def _since(ctx: jobs.JobContext) -> datetime:
    return datetime.fromisoformat(ctx.params["since"])


def _make_gradebook(services: Services, course_id: str) -> Iterator[bytes]:
    with repository.open_store(services).scratch() as scratch:
        path = gradebook_path(scratch)
        gradebook.create(path, course_id)
        with path.open("rb") as handle:
            while piece := handle.read(_PIECE):
                yield piece


def _delete_people(session: Session, course_id: str, since: datetime, *, keep: Role | None) -> None:
    """Delete the members who have not come since a moment, and all scores that were sent."""
    query = delete_rows(Member).where(Member.course_id == course_id, Member.launched_at <= since)
    session.execute(query if keep is None else query.where(Member.role != keep))
    session.execute(delete_rows(Score).where(Score.course_id == course_id))


def _enrol_again(session: Session, course_id: str) -> None:
    """Enrol everyone who is still in a course in what is new."""
    session.execute(update(Member).where(Member.course_id == course_id).values(synced_at=None))
    jobs.enqueue(session, PROVISION, course_id=course_id, created_by="kore", coalesce=True)


def _empty_folder(services: Services, course_id: str) -> None:
    """Remove what is in a course's folder; the host removes what is closed to Kore."""
    try:
        with SafeTree(services.host.course_root(course_id)) as tree:
            for entry in tree.list_folder():
                try:
                    tree.remove(entry.path)
                except (KoreError, OSError) as error:
                    log.warning("%s is left for the host to remove: %s", entry.path, error)
    except FileNotFoundError:
        return
