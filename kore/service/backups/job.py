"""The job that backs a course up because someone asked for it."""

from __future__ import annotations

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.creation import create_backup
from kore.service.backups.manifest import Contents
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import message

BACKUP = jobs.JobKind("course.backup", exclusive=True)


def queue_backup(services: Services, course_id: str, *, by: str, contents: Contents) -> str:
    """Queue a backup of a course; return the job's id, which becomes the backup's.

    Raises NotFound, and QuotaExceeded where the course has no room left for backups.
    """
    if not repository.measure_room(services, course_id):
        raise repository.quota_exceeded(services)
    with services.db.session() as session:
        find_course(session, course_id)
        return jobs.enqueue(
            session,
            BACKUP,
            course_id=course_id,
            created_by=by,
            params={"contents": contents},
            message=message(f"audit.backup.{contents}"),
        ).id


def run(ctx: jobs.JobContext) -> None:
    """Create the backup; from the start after a kill, unless it is there already."""
    contents: Contents = "sources" if ctx.params["contents"] == "sources" else "everything"
    ctx.progress(0, 0, message("backup.reading_course"))
    row = repository.find_backup(ctx.services, create_backup(ctx, contents, "made"))
    ctx.item(row.id, row.title, "done", message("backup.size", size=row.size), backup=row.id)
    ctx.progress(1, 1, message("backup.created", size=row.size))
