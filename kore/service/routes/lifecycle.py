"""Backs courses up, restores, resets and deletes them: each as a job."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import jobs
from kore.service.auth.guards import allow, caller, in_path, services, teacher_of
from kore.service.backups.job import queue_backup
from kore.service.backups.reading import may_read
from kore.service.backups.schemas import BackupRequest, DestroyRequest, RestoreRequest
from kore.service.errors import NotFound
from kore.service.lifecycle import ending, preconditions, restoring
from kore.service.routes.answers import responses
from kore.service.routes.jobs import answer_queued
from kore.service.schemas import CoursePath, JobInfo

api = APIBlueprint(
    "lifecycle", __name__, url_prefix="/courses/<course_id>", abp_tags=[Tag(name="backups")]
)
_ERRORS = (401, 403, 404, 409, 422)


@api.post("/backups", responses=responses(202, JobInfo, *_ERRORS, 507))
@allow(teacher_of(in_path))
def back_up_course(path: CoursePath, body: BackupRequest) -> Response:
    """Back a course up as a job."""
    return answer_queued(
        queue_backup(services(), path.course_id, by=caller().name, contents=body.contents)
    )


@api.post("/restore", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def restore_course(path: CoursePath, body: RestoreRequest) -> Response:
    """Restore everything in a course from a backup of it, as a job."""
    if not may_read(services(), body.backup, user=caller().name, teaches=[path.course_id]):
        raise NotFound("backup_unknown")
    return answer_queued(
        restoring.queue_restore(
            services(),
            path.course_id,
            by=caller().name,
            backup_id=body.backup,
            confirm=body.confirm,
        )
    )


@api.post("/reset", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def reset_course(path: CoursePath, body: DestroyRequest) -> Response:
    """Remove students and all their work from a course, as a job; its sources stay."""
    return _queue(preconditions.RESET, path, body)


@api.post("/delete", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_path))
def delete_course(path: CoursePath, body: DestroyRequest) -> Response:
    """Delete a course, as a job. The activity's next launch starts it again."""
    return _queue(preconditions.DELETE, path, body)


def _queue(kind: jobs.JobKind, path: CoursePath, body: DestroyRequest) -> Response:
    return answer_queued(
        ending.queue_ending(
            services(),
            kind,
            path.course_id,
            by=caller().name,
            confirm=body.confirm,
            backup=body.backup,
        )
    )
