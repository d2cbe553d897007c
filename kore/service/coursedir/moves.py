"""A copy's last step: what was got ready changes places with what is there, all or nothing.

The moves are written down before the first of them, in the job's row, where the course's own
account cannot change them. Whoever comes after a kill goes on where it ended: forward, or back
where a move had failed. Which moves were done is seen from the inodes, which renames keep.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel

from kore.service.coursedir.layout import STAGING
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError

State = Literal["forward", "back", "done", "undone"]


class Move(BaseModel):
    """A file or folder that goes from staging to its place, both below the course's root.

    With ``swap`` it changes places with what is there, which then lies in staging; ``before``
    is the signature of that, from before it was backed up.
    """

    staged: str
    place: str
    inode: int
    swap: bool = False
    before: str = ""


class Journal(BaseModel):
    """The moves of a copy, and the direction in which they are made."""

    state: State
    moves: list[Move]


def forward(tree: SafeTree, moves: list[Move]) -> None:
    """Make all moves that are not made yet. Raises KoreError where something is in the way."""
    for move in moves:
        # No more in staging: it was moved, whatever has become of it since.
        if inode_of(tree, move.staged) != move.inode:
            continue
        try:
            if move.swap:
                tree.swap(move.staged, move.place)
            else:
                tree.rename(move.staged, move.place)
        except OSError as error:
            raise KoreError(
                409,
                "changed_meanwhile",
                f"{move.place} has changed while the copy was made ready. Nothing was copied.",
                "Try again.",
            ) from error


def back(tree: SafeTree, moves: list[Move]) -> None:
    """Take back all moves that were made, the last first."""
    for move in reversed(moves):
        if inode_of(tree, move.place) != move.inode:
            continue
        if move.swap:
            tree.swap(move.staged, move.place)
        else:
            tree.rename(move.place, move.staged)


def inode_of(tree: SafeTree, path: str) -> int:
    """Return the inode of what is at a path, 0 where nothing is."""
    found = tree.stat(path)
    return found.stamp[0] if found else 0


def signature(tree: SafeTree, path: str) -> str:
    """Return what differs once a file has changed, or anything in a folder."""
    found = tree.stat(path)
    entries = list(tree.walk(path)) if found is not None and found.is_dir else [found]
    told = [e and (e.path.removeprefix(path), e.stamp[0], e.size, e.mtime) for e in entries]
    return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()


def folder_of(job_id: str) -> str:
    """Return where a copy gets ready: below the course's root, on the same file system."""
    return f"{STAGING}/copy-{job_id}"


def read(params: dict[str, Any]) -> Journal | None:
    """Return the journal in a job's parameters; None where no move was planned yet."""
    found = params.get("journal")
    return None if found is None else Journal.model_validate(found)
