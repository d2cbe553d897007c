"""Backups: list, fetch, upload and delete them."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import (
    allow,
    caller,
    in_query,
    is_admin,
    reader_of_backup,
    services,
    teacher_of,
)
from kore.service.backups import repository
from kore.service.backups.reading import open_archive
from kore.service.backups.schemas import BackupInfo, BackupList, BackupPath, UploadQuery
from kore.service.errors import Forbidden
from kore.service.routes.answers import answer, errors, responses
from kore.service.routes.streams import (
    ARCHIVE,
    BackupBody,
    allow_backups,
    receiving_backup,
    send_archive,
)
from kore.service.schemas import CourseQuery

api = APIBlueprint("backups", __name__, url_prefix="/backups", abp_tags=[Tag(name="backups")])
api.url_value_preprocessor(allow_backups)
_ERRORS = (401, 403, 404, 422)


@api.get("", responses=responses(200, BackupList, *_ERRORS))
@allow(teacher_of(in_query))
def list_backups(query: CourseQuery) -> Response:
    """List the backups that are kept for a course, the latest first."""
    return answer(repository.list_backups(services(), query.course, user=caller().name))


@api.post("/upload", responses=responses(201, BackupInfo, *_ERRORS, 400, 408, 415, 429, 503, 507))
@allow(teacher_of(in_query))
def upload_backup(query: UploadQuery, raw: BackupBody) -> Response:  # noqa: ARG001
    """Store a backup that was downloaded, here or from another hub. It is checked first."""
    room = repository.measure_room(services(), query.course)
    with receiving_backup(room, repository.quota_exceeded(services())) as pieces:
        info = repository.upload_backup(services(), query.course, pieces, by=caller().name)
    return answer(info, 201)


@api.get("/<backup_id>/archive", responses={200: ARCHIVE, **errors(*_ERRORS, 429, 503)})
@allow(reader_of_backup)
def fetch_backup(path: BackupPath) -> Response:
    """Fetch a backup's archive."""
    handle, row = open_archive(services(), path.backup_id, by=caller().name)
    return send_archive(handle, row, f"{row.source_course}-{row.taken_at:%Y-%m-%d-%H%M}")


@api.delete("/<backup_id>", responses={204: None, **errors(*_ERRORS)})
@allow(reader_of_backup)
def delete_backup(path: BackupPath) -> Response:
    """Delete a backup; for the person who created or uploaded it, and for hub admins."""
    row = repository.find_backup(services(), path.backup_id)
    if row.kept_by != caller().name and not is_admin():
        raise Forbidden("owner_only")
    repository.delete_backup(services(), path.backup_id, by=caller().name)
    return Response(status=204)
