"""Kills at any moment of a copy: each assignment is as before or as after, and then as after."""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kore.service.copying import copies
from kore.service.copying.schemas import CopyRequest
from kore.service.db.models import Backup, Job, JobState
from tests.support import notebooks
from tests.support.kore import Harness, make_kore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KILLS = 50
IN_A_ROW = 10


class Mortal:
    """A process that works on jobs and is killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.kills = 0

    def work(self, seconds: float) -> bool:
        """Work on the next job for some time; say whether it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        killed = self._process.stdout.readline().strip() == "killed"
        self.kills += killed
        return killed


@contextmanager
def mortal(folder: Path) -> Iterator[Mortal]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.copy_process", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Mortal(process)
        assert process.stdin is not None
        process.stdin.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def by_assignment(source: Path) -> dict[str, dict[str, bytes]]:
    return {path.name: contents(path) for path in source.iterdir()} if source.exists() else {}


def queue(kore: Harness, target: str, **asked) -> str:
    request = CopyRequest.model_validate({"from": asked.pop("origin"), **asked})
    return copies.queue_copy(kore.services, target, request, by="u1")


def state_of(kore: Harness, job_id: str) -> JobState:
    with kore.db.reading() as session:
        return session.get_one(Job, job_id).state


def is_whole(there, old: dict, new: dict, *, one: bool) -> bool:
    """Whether each assignment is as before or as after."""
    if one:
        found = there["ps2"]
        return found.items() >= old.items() and ("needing.ipynb" not in found or len(found) == 4)
    befores = {"ps2": old}
    return all(found in (new[name], befores.get(name)) for name, found in there.items())


def is_done(root: Path, old: dict, new: dict, *, one: bool) -> bool:
    """Whether all is as after, and nothing else left."""
    there = by_assignment(root / "source")
    left = (root / ".kore").exists()
    if one:
        added = {"needing.ipynb", "data/a.csv", "b.csv"}
        return there["ps2"].keys() == old.keys() | added and not left
    return there == new and not left


def test_kills_leave_assignments_as_before_or_as_after(tmp_path):
    """Fifty kills at random moments of whole-course copies and of copied problems.

    At each, every assignment is whole: the old one or the new one. A problem that comes into
    an assignment is there with all that it needs, or not at all. After the last attempt all
    is as after a copy without kills, what was replaced is in a backup, and nothing else is left.
    """
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    with make_kore(tmp_path) as kore, mortal(tmp_path) as victim:
        mine, _ = kore.launch("1", "Instructor", link="link-0")
        kore.work()
        for name in ("ps1", "ps2", "ps3"):
            folder = kore.source(mine, name, p=notebooks.assignment())
            for number in range(8):
                (folder / f"{number}.bin").write_bytes(dice.randbytes(20_000))
        needing = notebooks.assignment()
        needing["cells"][1]["source"] += "\nopen('data/a.csv'), open('b.csv')"
        folder = kore.source(mine, "ps4", needing=needing)
        (folder / "data").mkdir()
        (folder / "data" / "a.csv").write_text("a")
        (folder / "b.csv").write_text("b")
        source = kore.services.host.course_root(mine) / "source"
        new, origin = by_assignment(source), {"kind": "course", "id": mine}
        target, _ = kore.launch("1", "Instructor", link="target")
        kore.work()
        root, took = kore.services.host.course_root(target), [60.0, 60.0]
        clocked: list[list[float]] = [[], []]
        for round_ in range(1000):
            if victim.kills >= KILLS:
                break
            for folder in (root / "source", root / ".kore"):
                shutil.rmtree(folder, ignore_errors=True)
            old = contents(kore.source(target, "ps2", own=notebooks.assignment(points=1)))
            one = round_ % 2
            if one:
                asked = {"assignment": "ps4", "problem": "needing", "into": "ps2"}
            else:
                asked = {"collision": "replace"}
            job = queue(kore, target, origin=origin, **asked)
            before, began = victim.kills, time.monotonic()
            # A machine that became slower would not get to the end within what it took once.
            while victim.work(
                dice.uniform(0, took[one]) if victim.kills - before < IN_A_ROW else 60.0
            ):
                assert is_whole(by_assignment(root / "source"), old, new, one=bool(one)), seed
            # The next three of each kind are for the clock: the machine may stand still in one
            # of them, and the very first loads what it needs, too.
            if 2 <= round_ < 8 and victim.kills == before:
                clocked[one].append(time.monotonic() - began)
            if round_ == 7:
                took = [statistics.median(times) for times in clocked]
            assert state_of(kore, job) is JobState.DONE, seed
            assert is_done(root, old, new, one=bool(one)), seed
            with kore.db.reading() as session:
                assert (session.get(Backup, job) is None) == bool(one), seed
        assert by_assignment(source) == new
    assert victim.kills >= KILLS
