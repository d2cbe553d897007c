"""Gives a course's folder other content: all of it is ready before anything changes place.

What comes is made in the staging folder of the job, ``.kore/<job>/new``, on the same file
system. Then each thing in the course's folder that goes is moved to ``.kore/<job>/old``, and
each new one to its place. A kill between any two moves leaves what tells them apart: what is
still in ``new`` is not in its place yet.
"""

from __future__ import annotations

import errno
import logging
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import select

from kore.service.coursedir.layout import STAGING
from kore.service.coursedir.openat import special_file
from kore.service.coursedir.tree import SafeTree
from kore.service.db.models import Job
from kore.service.errors import KoreError
from kore.service.jobs import JobContext

log = logging.getLogger(__name__)
_ASIDE = re.compile(r"[0-9a-f]{16}")


def staging(job_id: str) -> str:
    """Return the folder in which a job makes what comes, relative to the course's."""
    return f"{STAGING}/{job_id}/new"


@contextmanager
def getting_ready(ctx: JobContext, tree: SafeTree) -> Iterator[str]:
    """Yield the job's staging folder, empty; the block ends with ``ctx.no_return``.

    Where it raises before that, nothing stays of the folder.
    """
    clear(tree, ctx.job_id)
    for other in _ended(
        ctx, [entry.path.rpartition("/")[2] for entry in tree.list_folder(STAGING)]
    ):
        clear(tree, other)
    if ctx.cancelled():
        raise KoreError(409, "cancelled", "Stopped before anything was changed.")
    try:
        tree.make_folder(staging(ctx.job_id))
        yield staging(ctx.job_id)
    except BaseException as error:
        if not ctx.is_final:
            clear(tree, ctx.job_id)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise KoreError(
                507,
                "disk_full",
                "The disk of this system is full; nothing in the course was changed.",
                "Tell the administrator of this system: space must be freed first.",
            ) from error
        raise


def _ended(ctx: JobContext, names: list[str]) -> list[str]:
    """Return which of some names are those of jobs that have ended: given up, they left this."""
    with ctx.services.db.reading() as session:
        query = select(Job.id).where(Job.id.in_(names), Job.ended_at.is_not(None))
        return list(session.scalars(query))


def tops(tree: SafeTree) -> list[str]:
    """Return what lies in the course's folder, but for Kore's own."""
    return [entry.path for entry in tree.list_folder() if entry.path != STAGING]


def check_movable(tree: SafeTree, names: Iterable[str]) -> None:
    """Raise KoreError where something cannot be moved: a folder that is closed to Kore."""
    for name in names:
        if not tree.may_move(name):
            raise special_file(name)


def put_in_place(tree: SafeTree, job_id: str, *, gone: Iterable[str]) -> None:
    """Let what is new take its place, and move away what is ``gone``; may be repeated."""
    new = staging(job_id)
    coming = {entry.path[len(new) + 1 :] for entry in tree.list_folder(new)}
    for name in sorted(coming):
        _aside(tree, job_id, name)
        while True:
            try:
                tree.rename(f"{new}/{name}", name)
            except FileExistsError:
                # A program of the course's has made one meanwhile.
                _aside(tree, job_id, name)
            else:
                break
    for name in gone:
        if name not in coming:
            _aside(tree, job_id, name)
    tree.flush()


def _aside(tree: SafeTree, job_id: str, name: str) -> None:
    with suppress(FileNotFoundError):
        target = f"{STAGING}/{job_id}/old/{name}"
        while True:
            try:
                tree.rename(name, target)
            except FileExistsError:
                target = f"{STAGING}/{job_id}/old/{secrets.token_hex(8)}"
            else:
                return


def clear(tree: SafeTree, job_id: str) -> None:
    """Remove what a job has put aside; what is closed to Kore stays there, for the hub."""
    try:
        tree.remove(f"{STAGING}/{job_id}")
        for entry in tree.list_folder(STAGING):
            # A removal that was interrupted: see ``SafeTree.remove``.
            if _ASIDE.fullmatch(entry.path.rpartition("/")[2]):
                tree.remove(entry.path)
        if not tree.list_folder(STAGING):
            tree.remove(STAGING)
    except (KoreError, OSError) as error:
        log.warning("%s/%s cannot be removed: %s", tree.root, STAGING, error)
