"""Changes a course's folder all at once: what comes is prepared first, then moved into place.

A job prepares it in ``.kore/<job>/new``, on the same file system, and writes the moves into its
row in the database, where the course's own account cannot change them. Only then the first
move is made. After a kill the next attempt goes on where the last one ended, forward or back:
inodes, which renames keep, say which moves were made. What is replaced exchanges
places with what comes, or goes to ``.kore/<job>/old``.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, Protocol

from pydantic import BaseModel
from sqlalchemy import select

from kore.service.coursedir.layout import STAGING
from kore.service.coursedir.openat import special_file
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.db.models import Job
from kore.service.diskspace import reporting_disk_full
from kore.service.errors import Changed, KoreError
from kore.service.services import Services

log = logging.getLogger(__name__)

State = Literal["forward", "back", "done", "undone"]
_PARAM = "journal"
_CANNOT_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS})
# Earlier versions named the folders of copies so.
_OLD_PREFIX = "copy-"
# A removal that was interrupted: see ``SafeTree.remove``.
_REMOVED = re.compile(r"[0-9a-f]{16}")


class Attempt(Protocol):
    """What a transaction needs of the job that it belongs to."""

    @property
    def services(self) -> Services:
        """What the job works with."""

    @property
    def job_id(self) -> str:
        """The job's id."""

    @property
    def params(self) -> dict[str, Any]:
        """What the job's row says."""

    @property
    def is_final(self) -> bool:
        """Whether the job must be completed."""

    def record(self, **facts: Any) -> None:
        """Add to ``params``."""


class Move(BaseModel):
    """A file or folder that goes from staging to its place, both below the course's root.

    With ``swap`` it exchanges places with what is there, which then is in staging. ``before``
    is the signature of that, from before it was backed up.
    """

    staged: str
    place: str
    inode: int
    swap: bool = False
    before: str = ""


class Journal(BaseModel):
    """The moves of a transaction, and the direction in which they are made."""

    state: State
    moves: list[Move]

    def to_params(self) -> dict[str, Any]:
        """Return the journal as parameters of its job."""
        return {_PARAM: self.model_dump()}


def read_journal(params: dict[str, Any]) -> Journal | None:
    """Return the journal in a job's parameters; None where no move was planned yet."""
    found = params.get(_PARAM)
    return None if found is None else Journal.model_validate(found)


@contextmanager
def prepare_changes(job: Attempt, tree: SafeTree) -> Iterator[str]:
    """Yield the folder in which a job prepares what comes, empty.

    The block ends with ``JobContext.no_return``. Where it raises before that, the folder is
    removed. Raises DiskFull where there is no room.
    """
    clear(tree, job.job_id)
    for ended in _list_ended(job, tree):
        clear(tree, ended)
    new = new_folder(job.job_id)
    try:
        with reporting_disk_full():
            tree.make_folder(new)
            yield new
    except BaseException:
        if not job.is_final:
            clear(tree, job.job_id)
        raise


def new_folder(job_id: str) -> str:
    """Return the folder in which a job prepares what comes."""
    return f"{STAGING}/{job_id}/new"


def plan_move(tree: SafeTree, staged: str, place: str, *, swap: bool) -> Move:
    """Return the move of something prepared to its place."""
    before = compute_signature(tree, place) if swap else ""
    return Move(
        staged=staged, place=place, inode=find_inode(tree, staged), swap=swap, before=before
    )


def make_moves(tree: SafeTree, moves: Iterable[Move]) -> None:
    """Make all moves that are not made yet. Raises Changed where something is in the way."""
    for move in _list_pending(tree, moves):
        try:
            if move.swap:
                tree.swap(move.staged, move.place)
            else:
                tree.rename(move.staged, move.place)
        except OSError as error:
            raise Changed("changed_meanwhile.copied", path=move.place) from error


def undo_moves(tree: SafeTree, moves: list[Move]) -> None:
    """Undo all moves that were made, the last first."""
    for move in reversed(moves):
        if find_inode(tree, move.place) != move.inode:
            continue
        if move.swap:
            tree.swap(move.staged, move.place)
        else:
            tree.rename(move.place, move.staged)


def replace_root(job: Attempt, tree: SafeTree, *, gone: Iterable[str]) -> None:
    """Move all that a job has prepared to the root, whatever is there, and take ``gone`` away.

    May be repeated, and must be until it succeeds.
    """
    journal = read_journal(job.params)
    if journal is None:
        new = new_folder(job.job_id)
        moves = [
            Move(staged=entry.path, place=entry.path[len(new) + 1 :], inode=entry.stamp[0])
            for entry in tree.list_folder(new)
        ]
        journal = Journal(state="forward", moves=moves)
        job.record(**journal.to_params())
    for move in _list_pending(tree, journal.moves):
        _force_move(tree, job.job_id, move)
    coming = {move.place for move in journal.moves}
    for name in gone:
        if name not in coming:
            _put_aside(tree, job.job_id, name)
    tree.flush()


def list_root(tree: SafeTree) -> list[str]:
    """Return what is in the course's folder, except for Kore's own."""
    return [entry.path for entry in tree.list_folder() if entry.path != STAGING]


def check_movable(tree: SafeTree, names: Iterable[str]) -> None:
    """Raise Conflict where something cannot be moved: a folder that is closed to Kore."""
    for name in names:
        if not tree.may_move(name):
            raise special_file(name)


def find_inode(tree: SafeTree, path: str) -> int:
    """Return the inode of what is at a path, 0 where nothing is."""
    found = tree.stat(path)
    return found.stamp[0] if found else 0


def compute_signature(tree: SafeTree, path: str) -> str:
    """Return a text that changes whenever a file, or anything in a folder, changes."""
    found = tree.stat(path)
    entries = list(tree.walk(path)) if found is not None and found.is_dir else [found]
    seen = [e and (e.path.removeprefix(path), e.stamp[0], e.size, e.mtime) for e in entries]
    return hashlib.sha256(repr(seen).encode("utf-8", "surrogatepass")).hexdigest()


def clear(tree: SafeTree, job_id: str) -> None:
    """Remove what a job has prepared or put aside; what is closed to Kore stays, for the hub."""
    try:
        tree.remove(f"{STAGING}/{job_id}")
        tree.remove(f"{STAGING}/{_OLD_PREFIX}{job_id}")
        for entry in tree.list_folder(STAGING):
            if _REMOVED.fullmatch(entry.path.rpartition("/")[2]):
                tree.remove(entry.path)
        tree.remove_if_empty(STAGING)
    except (KoreError, OSError) as error:
        log.warning("Cannot remove %s/%s: %s", tree.root, STAGING, error)


def _list_ended(job: Attempt, tree: SafeTree) -> list[str]:
    """Return the jobs that have ended and have left something: they were given up."""
    names = [entry.path.rpartition("/")[2] for entry in tree.list_folder(STAGING)]
    jobs = [name.removeprefix(_OLD_PREFIX) for name in names]
    with job.services.db.reading() as session:
        query = select(Job.id).where(Job.id.in_(jobs), Job.ended_at.is_not(None))
        return list(session.scalars(query))


def _list_pending(tree: SafeTree, moves: Iterable[Move]) -> Iterator[Move]:
    """Yield the moves that are not made: what was moved is not in staging any more."""
    for move in moves:
        if find_inode(tree, move.staged) == move.inode:
            yield move


def _force_move(tree: SafeTree, job_id: str, move: Move) -> None:
    # A program of the course's may make or remove something at the same time.
    while True:
        with suppress(FileExistsError):
            tree.rename(move.staged, move.place)
            return
        try:
            tree.swap(move.staged, move.place)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in _CANNOT_EXCHANGE:
                raise
            _put_aside(tree, job_id, move.place)
        else:
            return


def _put_aside(tree: SafeTree, job_id: str, name: str) -> None:
    target = f"{STAGING}/{job_id}/old/{name}"
    with suppress(FileNotFoundError):
        while True:
            with suppress(FileExistsError):
                tree.rename(name, target)
                return
            target = f"{STAGING}/{job_id}/old/{secrets.token_hex(8)}"
