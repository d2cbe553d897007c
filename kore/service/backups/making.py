"""The job that backs a course up, because somebody wants it."""

from __future__ import annotations

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.manifest import Contents
from kore.service.backups.taking import take
from kore.service.exchange.archives import in_words
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.shared.messages import plain

BACKUP = jobs.JobKind("course.backup", exclusive=True)
_WORDS: dict[Contents, str] = {
    "sources": "Backed up the assignments",
    "everything": "Backed up everything, with students\u2019 work",
}


def queue(services: Services, course_id: str, *, by: str, contents: Contents) -> str:
    """Queue a backup of a course; return the job's id, which becomes the backup's."""
    if not repository.left(services, course_id):
        raise repository.no_room(services)
    with services.db.session() as session:
        find_course(session, course_id)
        return jobs.enqueue(
            session,
            BACKUP,
            course_id=course_id,
            created_by=by,
            params={"contents": contents},
            message=plain(_WORDS[contents]),
        ).id


def back_up(ctx: jobs.JobContext) -> None:
    """Take the backup; again from the start after a kill, unless it is there by then."""
    contents: Contents = "sources" if ctx.params["contents"] == "sources" else "everything"
    ctx.progress(0, 0, plain("Looking at the course"))
    row = repository.find(ctx.services, take(ctx, contents, "made"))
    ctx.item(row.id, row.title, "done", plain(in_words(row.size)), backup=row.id)
    ctx.progress(1, 1, plain(f"The backup is made: {in_words(row.size)}"))
