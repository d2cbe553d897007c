"""Courses that are restored from a backup, and restores that are refused."""

from __future__ import annotations

import shutil
import tarfile

import pytest

from kore.service import jobs
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Invalid
from kore.service.hubapi import ServerState
from tests.support.course import FullCourse
from tests.support.lifecycle import (
    code_of,
    find_left_over,
    leave_final,
    list_backups,
    queue_restore,
    run_job,
)


def test_a_restore_brings_everything_back(course: FullCourse):
    """After a restore the course is as it was: files, points, submissions, feedback."""
    before = course.state()
    backup = course.back_up()
    course.write("source/ps3/new.ipynb", b"{}")
    course.write("source/ps1/squares.ipynb", b"spoilt")
    (course.root / "notes/for me.txt").unlink()
    (course.root / "gradebook.db").unlink()
    course.submit("u3")
    course.kore.hub.servers[course.course] = ServerState.RUNNING
    spoilt = course.state()
    run_job(course, queue_restore(course, backup.id))
    assert course.state() == before
    assert course.kore.hub.servers == {}
    assert find_left_over(course) == []
    # What was there right before is kept, and can itself be brought back.
    (course.root / "gradebook.db").unlink()
    run_job(course, queue_restore(course, list_backups(course)["before_restore"]))
    after = course.state()
    assert after["files"] == spoilt["files"]
    assert after["exchange"] == spoilt["exchange"]


def test_a_full_disk_while_restoring_changes_nothing(here: FullCourse, monkeypatch):
    """With half of the files prepared: nothing of them stays, and nothing was replaced."""
    backup = here.back_up()
    here.write("source/ps1/squares.ipynb", b"newer")
    before, real, written = here.state(), SafeTree.write, []

    def full(self, path, *more, **options):
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        return real(self, path, *more, **options)

    monkeypatch.setattr(SafeTree, "write", full)
    assert code_of(run_job(here, queue_restore(here, backup.id), "failed")) == "disk_full"
    monkeypatch.undo()
    assert here.state() == before
    assert find_left_over(here) == []


def test_unfit_backups_are_refused_at_once(here: FullCourse):
    """A backup of assignments only, of another course, or one that the caller may not read."""
    sources = here.back_up("sources")
    with pytest.raises(Invalid) as raised:
        queue_restore(here, sources.id)
    assert raised.value.code == "backup_sources_only"
    everything = here.back_up()
    with here.kore.db.session() as session:
        session.merge(everything).source_course = "c-" + "0" * 16
    with pytest.raises(Invalid) as raised:
        queue_restore(here, everything.id)
    assert raised.value.code == "backup_of_another"
    client = here.kore.client_for(here.teacher, via="token")
    other, _ = here.kore.launch("1", "Instructor", link="link-2")
    body = {"backup": everything.id, "confirm": "Algebra I - Homework"}
    assert client.post(f"/courses/{other}/restore", json=body).status_code == 404


def test_a_damaged_backup_changes_nothing(here: FullCourse):
    """A flipped byte anywhere in a stored archive fails the restore before anything is moved."""
    backup = here.back_up()
    whole = here.archive(backup).read_bytes()
    before = here.state()
    for part in (0.3, 0.6, 0.8, 0.97):
        damaged = bytearray(whole)
        at = int(len(whole) * part)
        while not damaged[at]:
            at += 1
        damaged[at] ^= 0x55
        here.archive(backup).write_bytes(damaged)
        job = queue_restore(here, backup.id)
        here.kore.work()
        report = jobs.read_report(here.kore.db, job)
        if report.state == "failed":
            assert code_of(report) in {"bad_backup", "backup_damaged"}
        assert here.state() == before
        assert find_left_over(here) == []


def test_a_restore_that_an_earlier_version_began_is_completed(here: FullCourse, tmp_path):
    """Killed between two moves, with no journal of them: the other moves are made."""
    before, backup = here.state(), here.back_up()
    here.write("source/ps1/squares.ipynb", b"newer")
    here.write("later/notes.txt", b"newer")
    job = queue_restore(here, backup.id)
    with tarfile.open(here.archive(backup)) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    unpacked, staging = tmp_path / "unpacked/course", here.root / ".kore" / job
    (staging / "new").mkdir(parents=True)
    (staging / "old").mkdir()
    tops = sorted(path.name for path in unpacked.iterdir())
    for number, name in enumerate(tops):
        is_moved = number < len(tops) // 2
        if is_moved:
            (here.root / name).rename(staging / "old" / name)
        shutil.move(unpacked / name, (here.root if is_moved else staging / "new") / name)
    leave_final(here, job, tops=tops)
    run_job(here, job)
    assert here.state() == before
    assert find_left_over(here) == []
