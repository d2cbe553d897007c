"""What keeps a course's content, brings it back, or ends it."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import jobs
from kore.service.auth.guards import allow, caller, in_path, services, teacher_of
from kore.service.backups import making
from kore.service.backups.reading import may_read
from kore.service.backups.repository import unknown_backup
from kore.service.backups.schemas import BackupRequest, EndRequest, RestoreRequest
from kore.service.lifecycle import closing, ending, restoring
from kore.service.routes.answers import responses
from kore.service.routes.jobs import begun
from kore.service.schemas import CoursePath, JobInfo

api = APIBlueprint(
    "keeping", __name__, url_prefix="/courses/<course_id>", abp_tags=[Tag(name="backups")]
)
_ERRORS = (401, 403, 404, 409, 413, 422)


@api.post("/backups", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def back_up_course(path: CoursePath, body: BackupRequest) -> Response:
    """Back a course up as a job."""
    return begun(making.queue(services(), path.course_id, by=caller().name, contents=body.contents))


@api.post("/restore", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def restore_course(path: CoursePath, body: RestoreRequest) -> Response:
    """Bring everything in a course back to what a backup of it holds, as a job."""
    if not may_read(services(), body.backup, user=caller().name, teaches=[path.course_id]):
        raise unknown_backup()
    return begun(
        restoring.queue(
            services(),
            path.course_id,
            by=caller().name,
            backup_id=body.backup,
            confirm=body.confirm,
        )
    )


@api.post("/reset", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def reset_course(path: CoursePath, body: EndRequest) -> Response:
    """Take students and all that is theirs out of a course, as a job; its sources stay."""
    return _ended(closing.RESET, path, body)


@api.post("/delete", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def delete_course(path: CoursePath, body: EndRequest) -> Response:
    """Delete a course, as a job. The activity's next launch begins it afresh."""
    return _ended(closing.DELETE, path, body)


def _ended(kind: jobs.JobKind, path: CoursePath, body: EndRequest) -> Response:
    return begun(
        ending.queue(
            services(),
            kind,
            path.course_id,
            by=caller().name,
            confirm=body.confirm,
            backup=body.backup,
        )
    )
