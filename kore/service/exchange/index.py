"""The index of what lies in the store, and the order in which the two change.

A file comes before the row that names it and goes after it. The course's own row is the
lock under which changes to one course's part of the index come one after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BufferedReader
from typing import TypeVar

from sqlalchemy import select, union_all
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from kore.service import jobs
from kore.service.db.exchange_models import Feedback, Handout, Stored, Submission
from kore.service.db.models import Course
from kore.service.diskspace import reporting_disk_full
from kore.service.errors import NotFound, ServerFault, Unavailable
from kore.service.exchange.store import Archive, Store
from kore.service.services import Services
from kore.service.settings import Limits

# Writers that wait for SQLite sleep in growing steps, and the last to come may win. Many
# who submit at once wait here, in the order in which they came.
_queue = threading.Lock()

StoringArchive = AbstractContextManager[tuple[Session, Archive, list[str]]]
Row = TypeVar("Row", bound=Stored)


def open_store(services: Services, limits: Limits | None = None) -> Store:
    """Return the store that the settings name, with their limits or other ones."""
    return Store(services.settings.exchange, limits or services.settings.limits)


@contextmanager
def storing_archive(
    services: Services, course_id: str, pieces: Iterable[bytes], limits: Limits | None = None
) -> Iterator[tuple[Session, Archive, list[str]]]:
    """Store an archive and yield a transaction for the row that names it.

    The third of the tuple takes blobs that no row names after the commit: they are removed
    then. Where the transaction fails nothing is left, neither row nor file.
    """
    store = open_store(services, limits)
    stale: list[str] = []
    with store.receiving(course_id, pieces) as archive:
        try:
            with reporting_disk_full(), _queue, services.db.session() as session:
                lock_course(session, course_id)
                yield session, archive, stale
        except BaseException:
            discard_archive(services, archive)
            raise
    for blob in stale:
        store.remove(course_id, blob)


def assign_archive(row: Stored, archive: Archive) -> None:
    """Make a row name an archive, instead of any before."""
    row.blob, row.size, row.sha256 = archive.blob, archive.size, archive.sha256


def lock_course(session: Session, course_id: str, *, closing: bool = False) -> None:
    """Hold a course's part of the index until the transaction ends.

    Raises NotFound where the course is gone, and Unavailable while a job has it closed, but
    not for that job itself (``closing``). SQLite's writers come one after the other anyway.
    """
    if session.scalar(select(Course.id).where(Course.id == course_id).with_for_update()) is None:
        raise NotFound("course_unknown")
    if not closing and jobs.is_closed(session, course_id):
        raise Unavailable("course_closed")


def open_archive(
    services: Services, course_id: str, find: Callable[[], Row]
) -> tuple[BufferedReader, Row]:
    """Open the archive of the row that ``find`` returns, which another may replace meanwhile."""
    tried: set[str] = set()
    while True:
        row = find()
        try:
            return open_store(services).open(course_id, row.blob), row
        except FileNotFoundError as error:
            if row.blob in tried:
                raise ServerFault("archive_missing") from error
            tried.add(row.blob)


def sweep(services: Services) -> int:
    """Remove what killed writers left in the store; called at each start."""
    return open_store(services).sweep(iterate_blobs(services))


def iterate_blobs(services: Services) -> Iterator[str]:
    """Yield every blob that a row names."""
    with services.db.reading() as session:
        query = union_all(select(Handout.blob), select(Submission.blob), select(Feedback.blob))
        yield from session.scalars(query)


def discard_archive(services: Services, archive: Archive) -> None:
    """Remove an archive whose row was not committed.

    A commit can succeed and its answer be lost: so not without a look, and while the
    database does not answer the file stays, for the sweep.
    """
    try:
        with services.db.reading() as session:
            is_named = any(
                session.scalar(select(table.blob).where(table.blob == archive.blob))
                for table in (Submission, Handout, Feedback)
            )
    except SQLAlchemyError:
        return
    if not is_named:
        open_store(services).remove(archive.course_id, archive.blob)
