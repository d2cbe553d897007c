"""Imports a course's work from nbgrader's own file exchange (version 0.9 and before).

Anyone could write there, and anything: names are checked, links not followed, and each
archive goes the way of one that is submitted.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.utils import make_unique_key, notebook_hash
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from kore.service.catalog import render
from kore.service.coursedir import timestamps
from kore.service.db.exchange_models import Feedback, Handout, Submission
from kore.service.errors import KoreError
from kore.service.exchange import index
from kore.service.exchange.folders import Entry, iterate_entries, open_plain, pack_entries
from kore.service.memberships import find_course, find_role
from kore.service.services import Services
from kore.service.settings import UNLIMITED
from kore.shared.names import find_fault, quote_name

_SECRET_BYTES = 4096
_PAGE = re.compile(r"([0-9a-f]{32})\.html")


@dataclass(slots=True)
class Report:
    """The result of a take-over.

    Numbers of what was imported, and of what was there ``already``; ``problems`` are
    sentences about what was not; ``strangers`` submitted and are not in Kore's course yet.
    """

    releases: int = 0
    submissions: int = 0
    feedback: int = 0
    already: int = 0
    unfit_feedback: int = 0
    strangers: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inbound:
    """The parts of the name of a folder in ``inbound/``."""

    user: str
    assignment: str
    timestamp: str
    received_at: datetime


def take_over(services: Services, course_id: str, folder: Path) -> Report:
    """Import one course's folder of a file exchange into Kore's course."""
    with services.db.reading() as session:
        find_course(session, course_id)
    pages = {
        found[1] for name in _list_names(folder / "feedback") if (found := _PAGE.fullmatch(name))
    }
    return _TakeOver(services, course_id, folder, pages).run()


class _TakeOver:
    """One course's take-over. ``pages`` are the hashes that name pages of feedback."""

    def __init__(self, services: Services, course_id: str, folder: Path, pages: set[str]) -> None:
        self._services = services
        self._course = course_id
        self._folder = folder
        self._pages = pages
        self._matched_pages: set[str] = set()
        self._report = Report()

    def run(self) -> Report:
        """Import what is not there yet; return what was done."""
        report = self._report
        for name in _list_names(self._folder / "outbound"):
            with self._reporting(f"the assignment {quote_name(name)}"):
                self._import_release(name)
        users: set[str] = set()
        for name in _list_names(self._folder / "inbound"):
            inbound = _parse_name(name)
            if inbound is None:
                report.problems.append(f"{quote_name(name)} is not the name of a submission")
                continue
            users.add(inbound.user)
            with self._reporting(quote_name(name)):
                self._import_submission(name, inbound)
        with self._services.db.reading() as session:
            report.strangers = sorted(
                user for user in users if find_role(session, self._course, user) is None
            )
        report.unfit_feedback = len(self._pages - self._matched_pages)
        return report

    @contextmanager
    def _reporting(self, what: str) -> Iterator[None]:
        """Go on after what cannot be imported, and report it."""
        try:
            yield
        except KoreError as error:
            self._report.problems.append(f"{what}: {error}")
        except OSError as error:
            self._report.problems.append(f"{what} cannot be read: {error.strerror or error}")

    def _import_release(self, name: str) -> None:
        if fault := find_fault(name):
            self._report.problems.append(f"the assignment {quote_name(name)} {render(fault)}")
            return
        with self._services.db.reading() as session:
            if session.get(Handout, (self._course, name)):
                self._report.already += 1
                return
        source = self._folder / "outbound" / name
        released_at = datetime.fromtimestamp(source.stat().st_mtime, UTC)
        with self._storing(self._iterate_entries(source)) as (
            session,
            archive,
            stale,
        ):
            if session.get(Handout, (self._course, name)):
                stale.append(archive.blob)
                return
            row = Handout(course_id=self._course, name=name, released_at=released_at)
            index.assign_archive(row, archive)
            row.notebooks = archive.contents.notebooks
            session.add(row)
        self._report.releases += 1

    def _import_submission(self, name: str, inbound: Inbound) -> None:
        source = self._folder / "inbound" / name
        key = "nbgrader:" + hashlib.sha256(name.encode()).hexdigest()
        with self._services.db.reading() as session:
            row = self._find_known(session, inbound, key)
        if row is not None:
            self._report.already += 1
        else:
            with self._storing(self._iterate_entries(source)) as (
                session,
                archive,
                stale,
            ):
                row = self._find_known(session, inbound, key)
                if row is not None:
                    stale.append(archive.blob)
                else:
                    row = Submission(
                        id=secrets.token_hex(16),
                        course_id=self._course,
                        assignment=inbound.assignment,
                        user=inbound.user,
                        received_at=inbound.received_at,
                        content=archive.contents.content,
                        key=key,
                        notebooks=archive.contents.notebooks,
                        feedback=None,
                    )
                    index.assign_archive(row, archive)
                    session.add(row)
            self._report.submissions += 1
        matched = _match_pages(source, self._folder.name, inbound, self._pages)
        self._matched_pages.update(matched.values())
        if matched and row.feedback is None:
            self._import_feedback(row.id, matched)

    def _find_known(self, session: Session, inbound: Inbound, key: str) -> Submission | None:
        return session.scalar(
            select(Submission)
            .where(
                Submission.course_id == self._course,
                Submission.user == inbound.user,
                Submission.assignment == inbound.assignment,
                Submission.key == key,
            )
            .options(selectinload(Submission.feedback))
        )

    def _import_feedback(self, submission_id: str, pages: dict[str, str]) -> None:
        """Store feedback: ``pages`` are hashes by the notebook that they are about."""
        folder = self._folder / "feedback"
        latest = max((folder / f"{page}.html").lstat().st_mtime for page in pages.values())
        with self._storing(_open_pages(folder, pages)) as (session, archive, stale):
            if session.get(Feedback, submission_id):
                stale.append(archive.blob)
                return
            row = Feedback(
                submission_id=submission_id, released_at=datetime.fromtimestamp(latest, UTC)
            )
            index.assign_archive(row, archive)
            session.add(row)
        self._report.feedback += 1

    def _storing(self, found: Iterator[Entry]) -> index.StoringArchive:
        pieces = pack_entries(found)
        return index.storing_archive(self._services, self._course, pieces, UNLIMITED)

    def _iterate_entries(self, source: Path) -> Iterator[Entry]:
        left_out: list[str] = []
        yield from iterate_entries(source, left_out)
        self._report.problems.extend(
            f"{quote_name(source.name)}: {problem}" for problem in left_out
        )


def _open_pages(folder: Path, pages: dict[str, str]) -> Iterator[Entry]:
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for notebook, page in sorted(pages.items()):
            descriptor = open_plain(f"{page}.html", top)
            if descriptor is not None:
                yield f"{notebook}.html", descriptor
    finally:
        os.close(top)


def _match_pages(source: Path, course: str, inbound: Inbound, pages: set[str]) -> dict[str, str]:
    """Return the hashes of a submission's feedback by notebook, by nbgrader's own rules."""
    matched: dict[str, str] = {}
    top = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        secret = _read_text("submission_secret.txt", top)
        for name in sorted(entry.name for entry in os.scandir(top)):
            notebook, dot, kind = name.rpartition(".")
            descriptor = open_plain(name, top) if dot and kind == "ipynb" else None
            if descriptor is None:
                continue
            try:
                hashes = _list_hashes(f"/dev/fd/{descriptor}", notebook, secret, course, inbound)
            finally:
                os.close(descriptor)
            found = next((h for h in hashes if h in pages), None)
            if found and not find_fault(f"{notebook}.html"):
                matched[notebook] = found
    finally:
        os.close(top)
    return matched


def _list_hashes(path: str, notebook: str, secret: str, course: str, inbound: Inbound) -> list[str]:
    if secret:
        return [notebook_hash(secret=secret, notebook_id=notebook)]
    key = make_unique_key(course, inbound.assignment, notebook, inbound.user, inbound.timestamp)
    return [notebook_hash(path, key), notebook_hash(path)]


def _parse_name(name: str) -> Inbound | None:
    """Return the parts of a folder's name, with or without the random text at its end."""
    for parts in (name.rsplit("+", 3), name.rsplit("+", 2)):
        if len(parts) < 3:  # noqa: PLR2004
            continue
        user, assignment, timestamp = parts[:3]
        if find_fault(user) or find_fault(assignment) or user.startswith("."):
            continue
        try:
            moment, _ = timestamps.read_timestamp(timestamp)
        except ValueError:
            continue
        return Inbound(user, assignment, timestamp, moment)
    return None


def _read_text(name: str, folder: int) -> str:
    descriptor = open_plain(name, folder)
    if descriptor is None:
        return ""
    with os.fdopen(descriptor, "rb") as handle:
        return handle.read(_SECRET_BYTES).decode("utf-8", "replace")


def _list_names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
