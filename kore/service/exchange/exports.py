"""Deletes a course's whole part of the exchange, exports it for a backup, and imports it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from kore.service.db.exchange_models import Feedback, Handout, Submission
from kore.service.errors import Invalid
from kore.service.exchange import index
from kore.service.exchange.archives import Inspector
from kore.service.exchange.store import Archive, Store
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.service.settings import UNLIMITED
from kore.shared.messages import message
from kore.shared.names import find_fault

INDEX = "index.json"
_PIECE = 1024 * 1024


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    blob: str = Field(pattern=r"^[0-9a-f]{32}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _HandoutRow(_Row):
    name: str = Field(max_length=255)
    released_at: AwareDatetime


class _FeedbackRow(_Row):
    released_at: AwareDatetime


class _SubmissionRow(_Row):
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    assignment: str = Field(max_length=255)
    user: str = Field(max_length=255)
    received_at: AwareDatetime
    key: str | None = Field(max_length=80)
    feedback: _FeedbackRow | None


class _Index(BaseModel):
    """The index of an export. ``version`` grows when its form changes."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    handouts: list[_HandoutRow]
    submissions: list[_SubmissionRow]

    def rows(self) -> Iterator[_Row]:
        """Yield every row that names an archive."""
        yield from self.handouts
        for row in self.submissions:
            yield row
            if row.feedback is not None:
                yield row.feedback


def delete_course_archives(services: Services, course_id: str) -> None:
    """Remove a course's assignments, submissions and feedback. May be repeated.

    Call it before the course's own row is deleted: after that nothing says which files were
    the course's, and they stay until the sweep has kept them long enough.
    """
    with services.db.session() as session:
        blobs = _delete_rows(session, course_id)
    store = index.open_store(services)
    for blob in blobs:
        store.remove(course_id, blob)
    store.remove_folder(course_id)


@contextmanager
def exporting_course(services: Services, course_id: str) -> Iterator[tuple[bytes, list[Path]]]:
    """Yield a course's part: the text of ``index.json``, and the archives' files.

    The files stay while the block reads them. Work that is submitted meanwhile is in it
    wholly or not at all.
    """
    store = index.open_store(services)

    def find() -> _Index:
        with services.db.reading() as session:
            return _read_rows(session, course_id)

    with store.pinning(course_id, find, lambda rows: [row.blob for row in rows.rows()]) as found:
        exported, links = found
        text = exported.model_dump_json(indent=1).encode()
        yield text, [links / f"{row.blob}.tar" for row in exported.rows()]


def import_course(services: Services, course_id: str, folder: Path) -> int:
    """Replace a course's part with what was exported into a folder.

    All or nothing: every archive is checked as if it were submitted, but without limits on
    size. Ids are kept where no other course has them. Return how many archives; raises
    Invalid for a damaged export.
    """
    exported = _read_index(folder / INDEX)
    store = index.open_store(services, UNLIMITED)
    archives: dict[str, Archive] = {}
    with store.locking():
        try:
            for row in exported.rows():
                archives[row.blob] = _store_archive(store, course_id, folder, row)
            with services.db.session() as session:
                find_course(session, course_id)
                index.lock_course(session, course_id, closing=True)
                stale = _delete_rows(session, course_id)
                session.add_all(_make_rows(session, course_id, exported, archives))
                session.flush()
        except BaseException as error:
            for archive in archives.values():
                index.discard_archive(services, archive)
            if isinstance(error, IntegrityError):
                raise _damaged("export.twice") from error
            raise
    for blob in stale:
        store.remove(course_id, blob)
    return len(archives)


def check_export(folder: Path) -> None:
    """Raise Invalid where ``import_course`` would refuse what is in a folder."""
    for row in _read_index(folder / INDEX).rows():
        name, inspector, digest = f"{row.blob}.tar", Inspector(UNLIMITED), hashlib.sha256()
        for piece in _pieces(folder / name):
            inspector.feed(piece)
            digest.update(piece)
        inspector.finish()
        if digest.hexdigest() != row.sha256:
            raise _damaged("export.changed", file=name)


def _store_archive(store: Store, course_id: str, folder: Path, row: _Row) -> Archive:
    name = f"{row.blob}.tar"
    with store.receiving(course_id, _pieces(folder / name)) as archive:
        if archive.sha256 == row.sha256:
            return archive
    store.remove(course_id, archive.blob)
    raise _damaged("export.changed", file=name)


def _delete_rows(session: Session, course_id: str) -> list[str]:
    submissions = select(Submission.id).where(Submission.course_id == course_id)
    blobs = [
        *session.scalars(select(Feedback.blob).where(Feedback.submission_id.in_(submissions))),
        *session.scalars(select(Submission.blob).where(Submission.course_id == course_id)),
        *session.scalars(select(Handout.blob).where(Handout.course_id == course_id)),
    ]
    session.execute(delete(Feedback).where(Feedback.submission_id.in_(submissions)))
    session.execute(delete(Submission).where(Submission.course_id == course_id))
    session.execute(delete(Handout).where(Handout.course_id == course_id))
    return blobs


def _read_rows(session: Session, course_id: str) -> _Index:
    handouts = session.scalars(select(Handout).where(Handout.course_id == course_id))
    submissions = session.scalars(
        select(Submission)
        .where(Submission.course_id == course_id)
        .options(selectinload(Submission.feedback))
        .order_by(Submission.received_at, Submission.id)
    )
    return _Index(
        handouts=[
            _HandoutRow(blob=h.blob, sha256=h.sha256, name=h.name, released_at=h.released_at)
            for h in handouts
        ],
        submissions=[
            _SubmissionRow(
                blob=s.blob,
                sha256=s.sha256,
                id=s.id,
                assignment=s.assignment,
                user=s.user,
                received_at=s.received_at,
                key=s.key,
                feedback=_read_feedback(s.feedback) if s.feedback else None,
            )
            for s in submissions
        ],
    )


def _read_feedback(row: Feedback) -> _FeedbackRow:
    return _FeedbackRow(blob=row.blob, sha256=row.sha256, released_at=row.released_at)


def _read_index(path: Path) -> _Index:
    try:
        exported = _Index.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise _damaged("export.unreadable", file=INDEX) from error
    names = [h.name for h in exported.handouts]
    names += [name for s in exported.submissions for name in (s.assignment, s.user)]
    if any(find_fault(name) for name in names):
        raise _damaged("export.bad_name")
    blobs = [row.blob for row in exported.rows()]
    keys: list[object] = [h.name for h in exported.handouts]
    keys += [("id", s.id) for s in exported.submissions]
    keys += [(s.user, s.assignment, s.key) for s in exported.submissions if s.key is not None]
    if len(blobs) != len(set(blobs)) or len(keys) != len(set(keys)):
        raise _damaged("export.twice")
    return exported


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as handle:
            while piece := handle.read(_PIECE):
                yield piece
    except FileNotFoundError as error:
        raise _damaged("export.missing", file=path.name) from error


def _make_rows(
    session: Session, course_id: str, exported: _Index, archives: dict[str, Archive]
) -> Iterator[Handout | Submission]:
    wanted = [row.id for row in exported.submissions]
    used = set(session.scalars(select(Submission.id).where(Submission.id.in_(wanted))))
    for handout in exported.handouts:
        archive = archives[handout.blob]
        yield Handout(
            course_id=course_id,
            name=handout.name,
            released_at=handout.released_at,
            notebooks=archive.contents.notebooks,
            **_columns(archive),
        )
    for row in exported.submissions:
        archive = archives[row.blob]
        yield Submission(
            id=secrets.token_hex(16) if row.id in used else row.id,
            course_id=course_id,
            assignment=row.assignment,
            user=row.user,
            received_at=row.received_at,
            content=archive.contents.content,
            key=row.key,
            notebooks=archive.contents.notebooks,
            feedback=row.feedback
            and Feedback(
                released_at=row.feedback.released_at, **_columns(archives[row.feedback.blob])
            ),
            **_columns(archive),
        )


def _columns(archive: Archive) -> dict[str, str | int]:
    return {"blob": archive.blob, "size": archive.size, "sha256": archive.sha256}


def _damaged(reason: str, **params: str) -> Invalid:
    """Return the error for a damaged export, with the id and parameters of a reason."""
    return Invalid("backup_damaged", reason=message(reason, **params))
