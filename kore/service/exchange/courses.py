"""A course's whole part of the exchange: forgotten, taken along in a backup, brought back."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from kore.service.db.models import Feedback, Handout, Submission
from kore.service.errors import KoreError
from kore.service.exchange import index
from kore.service.exchange.archives import Inspector
from kore.service.exchange.store import Archive, Store
from kore.service.memberships import find_course
from kore.service.services import Services
from kore.service.settings import UNLIMITED
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
    """The index of a backup. ``version`` grows when its form changes."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    handouts: list[_HandoutRow]
    submissions: list[_SubmissionRow]

    def rows(self) -> Iterator[_Row]:
        """Yield whatever has an archive."""
        yield from self.handouts
        for row in self.submissions:
            yield row
            if row.feedback is not None:
                yield row.feedback


def forget_course(services: Services, course_id: str) -> None:
    """Remove all that was handed out and in, in a course. May be repeated.

    For a reset, and before the course's own row is deleted: after it nothing says which
    files were the course's, and they stay until the sweep has kept them long enough.
    """
    with services.db.session() as session:
        blobs = _forget(session, course_id)
    store = index.store(services)
    for blob in blobs:
        store.remove(course_id, blob)
    store.remove_folder(course_id)


@contextmanager
def leaving_course(services: Services, course_id: str) -> Iterator[tuple[bytes, list[Path]]]:
    """Yield a course's part while the block reads it: ``index.json``, and the archives' files.

    Work that comes in meanwhile is in it wholly or not at all.
    """
    store = index.store(services)

    def look() -> _Index:
        with services.db.reading() as session:
            return _kept(session, course_id)

    with store.leaving(course_id, look, lambda kept: [row.blob for row in kept.rows()]) as found:
        kept, links = found
        text = kept.model_dump_json(indent=1).encode()
        yield text, [links / f"{row.blob}.tar" for row in kept.rows()]


def export_course(services: Services, course_id: str, folder: Path) -> int:
    """Write a course's part into an empty folder: archives and ``index.json``.

    Return how many archives.
    """
    with leaving_course(services, course_id) as (kept, archives):
        for path in archives:
            with path.open("rb") as source, (folder / path.name).open("xb") as target:
                shutil.copyfileobj(source, target, _PIECE)
    (folder / INDEX).write_bytes(kept)
    return len(archives)


def import_course(services: Services, course_id: str, folder: Path) -> int:
    """Bring back what ``export_course`` wrote, in the place of what the course has now.

    All or nothing: every archive is checked as if it were handed in, but for limits on size.
    Ids are kept where no other course has them. Return how many archives; raises KoreError
    for a damaged backup.
    """
    kept = _read(folder / INDEX)
    store = index.store(services, UNLIMITED)
    archives: dict[str, Archive] = {}
    with store.holding():
        try:
            for row in kept.rows():
                archives[row.blob] = _taken_back(store, course_id, folder, row)
            with services.db.session() as session:
                find_course(session, course_id)
                index.lock_course(session, course_id, closing=True)
                stale = _forget(session, course_id)
                session.add_all(_rows(session, course_id, kept, archives))
                session.flush()
        except BaseException as error:
            for archive in archives.values():
                index.discard(services, archive)
            if isinstance(error, IntegrityError):
                raise _damaged("something in it is there twice") from error
            raise
    for blob in stale:
        store.remove(course_id, blob)
    return len(archives)


def check_export(folder: Path) -> None:
    """Raise KoreError where ``import_course`` would not take what is in a folder."""
    for row in _read(folder / INDEX).rows():
        name, inspector, digest = f"{row.blob}.tar", Inspector(UNLIMITED), hashlib.sha256()
        for piece in _pieces(folder / name):
            inspector.feed(piece)
            digest.update(piece)
        inspector.finish()
        if digest.hexdigest() != row.sha256:
            raise _damaged(f"{name} is not what was written into it")


def _taken_back(store: Store, course_id: str, folder: Path, row: _Row) -> Archive:
    name = f"{row.blob}.tar"
    with store.receiving(course_id, _pieces(folder / name)) as archive:
        if archive.sha256 == row.sha256:
            return archive
    store.remove(course_id, archive.blob)
    raise _damaged(f"{name} is not what was written into it")


def _forget(session: Session, course_id: str) -> list[str]:
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


def _kept(session: Session, course_id: str) -> _Index:
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
                feedback=_feedback(s.feedback) if s.feedback else None,
            )
            for s in submissions
        ],
    )


def _feedback(row: Feedback) -> _FeedbackRow:
    return _FeedbackRow(blob=row.blob, sha256=row.sha256, released_at=row.released_at)


def _read(path: Path) -> _Index:
    try:
        kept = _Index.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise _damaged(f"its {INDEX} cannot be read") from error
    names = [h.name for h in kept.handouts]
    names += [name for s in kept.submissions for name in (s.assignment, s.user)]
    if any(find_fault(name) for name in names):
        raise _damaged("a name in it is none")
    blobs = [row.blob for row in kept.rows()]
    keys: list[object] = [h.name for h in kept.handouts]
    keys += [("id", s.id) for s in kept.submissions]
    keys += [(s.user, s.assignment, s.key) for s in kept.submissions if s.key is not None]
    if len(blobs) != len(set(blobs)) or len(keys) != len(set(keys)):
        raise _damaged("something in it is there twice")
    return kept


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as handle:
            while piece := handle.read(_PIECE):
                yield piece
    except FileNotFoundError as error:
        raise _damaged(f"{path.name} is missing") from error


def _rows(
    session: Session, course_id: str, kept: _Index, archives: dict[str, Archive]
) -> Iterator[Handout | Submission]:
    wanted = [row.id for row in kept.submissions]
    taken = set(session.scalars(select(Submission.id).where(Submission.id.in_(wanted))))
    for handout in kept.handouts:
        archive = archives[handout.blob]
        yield Handout(
            course_id=course_id,
            name=handout.name,
            released_at=handout.released_at,
            notebooks=archive.contents.notebooks,
            **_stored(archive),
        )
    for row in kept.submissions:
        archive = archives[row.blob]
        yield Submission(
            id=secrets.token_hex(16) if row.id in taken else row.id,
            course_id=course_id,
            assignment=row.assignment,
            user=row.user,
            received_at=row.received_at,
            content=archive.contents.content,
            key=row.key,
            notebooks=archive.contents.notebooks,
            feedback=row.feedback
            and Feedback(
                released_at=row.feedback.released_at, **_stored(archives[row.feedback.blob])
            ),
            **_stored(archive),
        )


def _stored(archive: Archive) -> dict[str, str | int]:
    return {"blob": archive.blob, "size": archive.size, "sha256": archive.sha256}


def _damaged(why: str) -> KoreError:
    return KoreError(
        422,
        "backup_damaged",
        f"The backup of the course's exchange is damaged: {why}. Nothing was changed.",
        "Use another backup.",
    )
