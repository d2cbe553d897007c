"""Transactions over a course's folder: all of it or nothing, whenever they are killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kore.service.coursedir import transaction
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.coursedir.transaction import Journal, Move
from kore.service.db.engine import open_database
from kore.service.db.models import Job, JobState, now
from kore.service.errors import Changed, Conflict, DiskFull
from kore.service.services import Services

COURSE = "c-0123456789abcdef"


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Attempt:
    """A job as a transaction sees it."""

    services: Services
    job_id: str = "j"
    is_final: bool = False
    params: dict[str, Any] = field(default_factory=dict)

    def record(self, **facts: Any) -> None:
        self.params |= facts


@pytest.fixture
def job(tmp_path):
    db = open_database(f"sqlite:///{tmp_path / 'kore.db'}")
    yield Attempt(cast(Services, SimpleNamespace(db=db)))
    db.close()


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "course").mkdir()
    return tmp_path / "course"


def fill(root: Path, **files: str) -> None:
    for path, content in files.items():
        place = root / path.replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)


def files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


def kill_at(tree: SafeTree, fatal: int, *, exchange: bool = True) -> None:
    """Let a tree make some moves and then kill; without ``exchange`` its file system has none."""
    made = 0

    def counted(real: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def move(old: str, new: str) -> None:
            nonlocal made
            if made == fatal:
                raise Killed
            real(old, new)
            made += 1

        return move

    def refuse(old: str, new: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    tree.rename = counted(tree.rename)  # type: ignore[assignment]
    tree.swap = counted(tree.swap) if exchange else refuse  # type: ignore[assignment]


@pytest.mark.parametrize("exchange", [True, False])
def test_a_replacement_goes_on_after_a_kill(job, root, exchange):
    """Killed between any two moves, the next attempt ends with exactly what was prepared."""
    for fatal in range(12):
        course = root / str(fatal)
        fill(course, a__old="old", b="old", c__old="old", stays="old")
        fill(course / ".kore/j/new", a__new="new", b="new", d="new")
        job.params = {}
        with SafeTree(course) as tree:
            kill_at(tree, fatal, exchange=exchange)
            try:
                transaction.replace_root(job, tree, gone=["c", "x"])
            except Killed:
                # A program that still ran has made one of them again.
                fill(course, b="meanwhile") if not (course / "b").exists() else None
        with SafeTree(course) as tree:
            transaction.replace_root(job, tree, gone=["c", "x"])
            transaction.clear(tree, "j")
        assert files(course) == {"a/new": "new", "b": "new", "d": "new", "stays": "old"}, fatal
        assert not (course / ".kore").exists()


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_a_replacement_of_an_earlier_version_is_completed(job, root, moved):
    """It wrote no journal: what is still in ``new`` is not in its place yet."""
    fill(root / ".kore/j/new", a="new", b="new")
    fill(root, a="old", b="old", c="old", stays="old")
    (root / ".kore/j/old").mkdir()
    for old, new in [("a", ".kore/j/old/a"), (".kore/j/new/a", "a"), ("b", ".kore/j/old/b")][
        :moved
    ]:
        (root / old).rename(root / new)
    job.is_final = True
    with SafeTree(root) as tree:
        transaction.replace_root(job, tree, gone=["c"])
        transaction.clear(tree, "j")
    assert files(root) == {"a": "new", "b": "new", "stays": "old"}


def plan(root: Path, folder: str = ".kore/j/new") -> list[Move]:
    """Prepare one thing that replaces another, and a new one."""
    fill(root, source__ps1__old="old")
    fill(root / folder, ps1__new="new", ps2__new="new")
    with SafeTree(root) as tree:
        return [
            transaction.plan_move(tree, f"{folder}/{name}", f"source/{name}", swap=name == "ps1")
            for name in ("ps1", "ps2")
        ]


BEFORE, AFTER = {"source/ps1/old": "old"}, {"source/ps1/new": "new", "source/ps2/new": "new"}


def outside(root: Path) -> dict[str, str]:
    """Return the course's files except what is in staging."""
    return {path: text for path, text in files(root).items() if not path.startswith(".kore/")}


@pytest.mark.parametrize("fatal", range(3))
@pytest.mark.parametrize("back", [False, True])
def test_moves_go_on_forward_or_back_after_a_kill(root, fatal, back):
    """From any moment both ends can be reached, and the journal survives as a job's parameter."""
    journal = Journal(state="forward", moves=plan(root))
    with SafeTree(root) as tree:
        kill_at(tree, fatal)
        with suppress(Killed):
            transaction.make_moves(tree, journal.moves)
    kept = transaction.read_journal(journal.to_params())
    assert kept == journal
    with SafeTree(root) as tree:
        if back:
            transaction.undo_moves(tree, kept.moves)
        else:
            transaction.make_moves(tree, kept.moves)
    assert outside(root) == (BEFORE if back else AFTER)


def test_the_copy_of_an_earlier_version_is_completed_and_cleared(root):
    """It staged elsewhere, and its journal says where."""
    moves = plan(root, ".kore/copy-j/0")
    old = {"journal": {"state": "forward", "moves": [move.model_dump() for move in moves]}}
    journal = transaction.read_journal(old)
    assert journal is not None
    with SafeTree(root) as tree:
        transaction.make_moves(tree, journal.moves)
        transaction.clear(tree, "j")
    assert files(root) == AFTER


def test_what_is_in_the_way_stops_moves(root):
    """A name that was taken meanwhile raises, and all can be undone."""
    moves = plan(root)
    fill(root, source__ps2__mine="mine")
    with SafeTree(root) as tree:
        with pytest.raises(Changed):
            transaction.make_moves(tree, moves)
        transaction.undo_moves(tree, moves)
    assert outside(root) == {**BEFORE, "source/ps2/mine": "mine"}


def prepare(job: Attempt, root: Path, error: Exception) -> None:
    """Prepare something, and fail then."""
    with SafeTree(root) as tree, transaction.prepare_changes(job, tree) as new:
        tree.write(f"{new}/a", [b"whole"])
        raise error


def test_a_failed_preparation_leaves_nothing(job, root):
    """Neither what was prepared, nor staging itself; a full disk has an error of its own."""
    fill(root, stays="old")
    with pytest.raises(DiskFull):
        prepare(job, root, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert files(root) == {"stays": "old"}
    assert not (root / ".kore").exists()


def test_what_must_be_completed_stays_prepared(job, root):
    """An error after the point of no return keeps what the next attempt needs."""
    job.is_final = True
    with pytest.raises(ValueError, match="late"):
        prepare(job, root, ValueError("late"))
    assert files(root) == {".kore/j/new/a": "whole"}


@pytest.mark.parametrize("prefix", ["", "copy-"])
def test_leftovers_of_ended_jobs_are_cleared_and_those_of_others_kept(job, root, prefix):
    """A job that was given up after a kill cannot clear up itself, in whatever version."""
    with job.services.db.session() as session:
        for name, state in (("ended", JobState.FAILED), ("running", JobState.RUNNING)):
            ended = now() if state is JobState.FAILED else None
            session.add(Job(id=name, kind="course.copy", created_by="u1", params={}, state=state))
            session.flush()
            session.get_one(Job, name).ended_at = ended
    fill(root / f".kore/{prefix}ended", new__a="left")
    fill(root / ".kore/running", new__a="needed")
    fill(root / ".kore/0123456789abcdef", a="a removal that was interrupted")
    fill(root / ".kore/replaced/k/0", a="a teacher's")
    with SafeTree(root) as tree, transaction.prepare_changes(job, tree):
        pass
    assert files(root) == {
        ".kore/running/new/a": "needed",
        ".kore/replaced/k/0/a": "a teacher's",
    }


def test_a_link_in_the_place_of_staging_is_refused(job, root):
    """Nothing is made or removed where it leads."""
    other = root.parent / "other"
    fill(other, j="theirs")
    (root / ".kore").symlink_to(other)
    with SafeTree(root) as tree, pytest.raises(Conflict), transaction.prepare_changes(job, tree):
        pass
    assert files(other) == {"j": "theirs"}


def test_a_signature_changes_with_anything_in_a_folder(root):
    """A file that is written, added or removed changes it; a file alone has one too."""
    fill(root, a__b="1", c="1")
    with SafeTree(root) as tree:
        seen = [transaction.compute_signature(tree, path) for path in ("a", "c", "gone")]
        fill(root, a__d="2")
        assert transaction.compute_signature(tree, "a") not in seen
        (root / "a/d").unlink()
        assert transaction.compute_signature(tree, "a") == seen[0]
        fill(root, c="12")
        assert transaction.compute_signature(tree, "c") not in seen
