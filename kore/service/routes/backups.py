"""Backups: listed, fetched, sent and deleted."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import audit
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
from kore.service.backups.reading import opened
from kore.service.backups.schemas import BackupInfo, BackupList, BackupPath, UploadQuery
from kore.service.errors import KoreError
from kore.service.routes.answers import answer, errors, responses
from kore.service.routes.streams import (
    ARCHIVE,
    BackupBody,
    incoming_backup,
    outgoing,
    takes_backups,
)
from kore.service.schemas import CourseQuery
from kore.shared.messages import plain

api = APIBlueprint("backups", __name__, url_prefix="/backups", abp_tags=[Tag(name="backups")])
api.url_value_preprocessor(takes_backups)
_ERRORS = (401, 403, 404, 422)


@api.get("", responses=responses(200, BackupList, *_ERRORS))
@allow(teacher_of(in_query))
def list_backups(query: CourseQuery) -> Response:
    """List the backups that are kept for a course, the latest taken first."""
    return answer(repository.listed(services(), query.course, user=caller().name))


@api.post(
    "/upload", responses=responses(201, BackupInfo, *_ERRORS, 400, 408, 413, 415, 429, 503, 507)
)
@allow(teacher_of(in_query))
def upload_backup(query: UploadQuery, raw: BackupBody) -> Response:  # noqa: ARG001
    """Keep a backup that was downloaded, here or from another hub. It is checked first."""
    course, by, db = query.course, caller().name, services().db
    most, error = repository.left(services(), course), repository.no_room(services())
    with (
        audit.recording(
            db, course, by=by, action="backup.upload", message=plain("Uploaded a backup")
        ),
        incoming_backup(most, error) as pieces,
    ):
        kept = repository.keep(services(), course, pieces, by=by, origin="uploaded")
    return answer(repository.info(repository.find(services(), kept), by), 201)


@api.get("/<backup_id>/archive", responses={200: ARCHIVE, **errors(*_ERRORS, 429, 503)})
@allow(reader_of_backup)
def fetch_backup(path: BackupPath) -> Response:
    """Fetch a backup's archive."""
    handle, row = opened(services(), path.backup_id)
    words = f"Downloaded the backup of {row.taken_at:%Y-%m-%d %H:%M} UTC " + (
        "(everything)" if row.contents == "everything" else "(sources)"
    )
    with services().db.session() as session:
        audit.record(
            session,
            row.course_id,
            by=caller().name,
            action="backup.download",
            message=plain(words),
        )
    return outgoing(handle, row, f"{row.source_course}-{row.taken_at:%Y-%m-%d-%H%M}")


@api.delete("/<backup_id>", responses={204: None, **errors(*_ERRORS)})
@allow(reader_of_backup)
def delete_backup(path: BackupPath) -> Response:
    """Delete a backup; for the one who made or uploaded it, and for hub admins."""
    row = repository.find(services(), path.backup_id)
    if row.kept_by != caller().name and not is_admin():
        raise KoreError(
            403,
            "owner_only",
            "Only the one who made this backup can delete it, or a hub admin.",
            "Ask them to do it.",
        )
    repository.delete(services(), path.backup_id, by=caller().name)
    return Response(status=204)
