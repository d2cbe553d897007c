"""What is in a backup, what is left out, and that nothing is left behind where it fails."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import threading
from dataclasses import replace

import pytest

from kore.service import jobs
from kore.service.backups import making, repository
from kore.service.backups.reading import OpenBackup, may_read, source, sources_of
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError
from kore.service.exchange.store import Store
from kore.service.schemas import JobInfo
from tests.support.keeping import FILES, KeptCourse


def names(course: KeptCourse, backup) -> set[str]:
    """Return the files in a backup's archive, as any tar program sees them."""
    with tarfile.open(course.archive(backup)) as archive:
        return {entry.name for entry in archive if entry.isfile()}


def failed(course: KeptCourse, job: str) -> JobInfo:
    course.kore.work()
    report = jobs.report(course.kore.db, job)
    assert report.state == "failed", report
    return report


def nothing_kept(course: KeptCourse) -> bool:
    folder = course.services.settings.state_dir / "backups"
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return files == [] and repository.listed(course.services, course.course, user="").backups == []


def test_everything_is_everything(course: KeptCourse):
    """Sources, work, points, feedback, a teacher's own files, and the exchange with its index."""
    backup = course.back_up()
    found = names(course, backup)
    assert {f"course/{path}" for path in FILES} <= found
    assert {"course/gradebook.db", "exchange/index.json", "manifest.json"} <= found
    assert len([name for name in found if name.startswith("exchange/")]) == 5
    assert (backup.assignments, backup.students, backup.contents) == (3, 2, "everything")
    assert backup.size == course.archive(backup).stat().st_size
    with OpenBackup(course.services, backup.id) as opened:
        told = opened.manifest()
    assert told.course == course.course
    assert told.title == course.title
    assert told.gradebook
    assert "source/empty" in {path.partition("/")[2] for path in told.folders}


def test_sources_have_nothing_about_students(here: KeptCourse):
    """A backup of the assignments holds the folder ``source`` and nothing else."""
    backup = here.back_up("sources")
    assert names(here, backup) == {
        "manifest.json",
        *(f"course/{path}" for path in FILES if path.startswith("source/")),
    }
    content = here.archive(backup).read_bytes()
    assert b"u2" not in content.replace(b"Au2", b"")
    assert backup.students == 0


def test_a_backup_is_for_kore_alone(here: KeptCourse):
    """Nobody else can look into the folder of backups."""
    here.back_up()
    folder = here.services.settings.state_dir / "backups"
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_links_are_left_out_and_named(here: KeptCourse, tmp_path):
    """What is neither file nor folder never comes into a backup; the report says so."""
    secret = tmp_path / "secret"
    secret.write_text("for Kore only")
    (here.root / "source/ps1/link").symlink_to(secret)
    (here.root / "everything").symlink_to(tmp_path)
    os.mkfifo(here.root / "source/ps1/pipe")
    backup = here.back_up()
    assert b"for Kore only" not in here.archive(backup).read_bytes()
    left_out = {
        item.key for item in jobs.report(here.kore.db, backup.id).items if item.key != backup.id
    }
    assert left_out == {"source/ps1/link", "everything", "source/ps1/pipe"}


@pytest.mark.parametrize("what", ["link to another course", "link to kore", "no database"])
def test_only_the_courses_own_gradebook_is_copied(here: KeptCourse, what):
    """A gradebook that leads elsewhere, or is another course's, fails the backup."""
    place = here.root / "gradebook.db"
    other, _ = here.kore.launch("9", "Instructor", link="link-2")
    here.kore.work()
    foreign = here.services.host.course_root(other) / "gradebook.db"
    if what == "link to another course":
        # As if exchanged for a link between the look and the copy.
        content = foreign.read_bytes()
        place.write_bytes(content)
    elif what == "link to kore":
        place.unlink()
        place.symlink_to(here.services.settings.state_dir / "kore.sqlite")
    else:
        place.write_bytes(b"no database at all" * 100)
    job = making.queue(here.services, here.course, by=here.teacher, contents="everything")
    failed(here, job)
    assert nothing_kept(here)


def test_a_gradebook_in_use_is_copied_whole(here: KeptCourse):
    """While somebody writes, the copy has what was committed and nothing by halves."""
    stop, written, count = threading.Event(), threading.Event(), 0
    connection = sqlite3.connect(here.root / "gradebook.db", timeout=60, check_same_thread=False)

    def write():
        nonlocal count
        # Between two there is room for others: on a slow disk nobody else would get in.
        while not stop.wait(0.01):
            with connection:
                for half in "ab":
                    connection.execute("INSERT INTO student (id) VALUES (?)", (f"v{count}{half}",))
            count += 1
            written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(60)
        backups = [here.back_up() for _ in range(3)]
    finally:
        stop.set()
        writer.join()
        connection.close()
    for backup in backups:
        assert (backup.students - 2) % 2 == 0
    assert backups[-1].students > 2


def test_names_that_only_differ_by_case_are_told(here: KeptCourse):
    """Some system would take them for one: the second is left out, and the report says so."""
    here.write("source/ps1/A.txt", b"1")
    here.write("source/ps1/a.txt", b"2")
    backup = here.back_up()
    assert len({n for n in names(here, backup) if n.lower().endswith("/a.txt")}) == 1
    [item] = [i for i in jobs.report(here.kore.db, backup.id).items if i.key != backup.id]
    assert item.message is not None
    assert "take for" in item.message.text


def test_a_name_from_a_mac_is_kept(here: KeptCourse):
    """Decomposed Unicode is no reason to leave a file out."""
    here.write("notes/U\u0308bung.txt", b"1")
    assert "course/notes/U\u0308bung.txt" in names(here, here.back_up())


def test_no_room_in_the_quota(here: KeptCourse):
    """Over the course's limit nothing is kept, and the words name limit and way out."""
    limits = replace(here.services.settings.limits, backups=20_000)
    here.kore.services = replace(
        here.services, settings=replace(here.services.settings, limits=limits)
    )
    here.kore.runner._services = here.kore.services
    job = making.queue(here.services, here.course, by=here.teacher, contents="everything")
    report = failed(here, job)
    assert "20 kB" in report.model_dump_json()
    assert nothing_kept(here)


def test_a_disk_that_fills_up(here: KeptCourse, monkeypatch):
    """The job says that the disk is full, and nothing of the archive stays."""
    real = Store._write

    def full(self, path, pieces):
        def some():
            for number, piece in enumerate(pieces):
                if number == 5:
                    raise OSError(28, "No space left on device")
                yield piece

        return real(self, path, some())

    monkeypatch.setattr(Store, "_write", full)
    job = making.queue(here.services, here.course, by=here.teacher, contents="everything")
    assert "disk" in failed(here, job).model_dump_json()
    assert nothing_kept(here)


def test_assignments_are_read_from_a_backup(here: KeptCourse):
    """Listed from the database alone; each file is read, or copied, by itself."""
    backup = here.back_up()
    here.back_up("sources")
    found = sources_of(here.services, [here.course])
    assert len(found) == 2
    one = source(here.services, backup.id)
    assert {file.assignment for file in one.files} == {"ps1", "ps2", ""}
    assert {f"source/{file.path}" for file in one.files} == {
        path for path in FILES if path.startswith("source/")
    }
    target = here.root / "copied"
    target.mkdir()
    with OpenBackup(here.services, backup.id) as opened, SafeTree(target) as tree:
        for file in one.files:
            assert opened.read_bytes(file, limit=10**6) == FILES[f"source/{file.path}"]
        opened.copy_to("ps1", tree, "new/ps1")
    assert (target / "new/ps1/data/numbers.csv").read_bytes() == b"1,2\n"
    damaged = bytearray(here.archive(backup).read_bytes())
    at = next(file.at for file in one.files if file.path == "ps1/data/numbers.csv")
    damaged[at] ^= 1
    here.archive(backup).write_bytes(damaged)
    with OpenBackup(here.services, backup.id) as opened:
        [file] = [file for file in one.files if file.at == at]
        with pytest.raises(KoreError, match="damaged"):
            opened.read_bytes(file, limit=10**6)


def test_who_may_read_a_backup(here: KeptCourse):
    """Teachers of its course; once that is gone, who made it; nobody else."""
    backup = here.back_up()

    def may(user, *teaches):
        return may_read(here.services, backup.id, user=user, teaches=teaches)

    assert may(here.teacher, here.course)
    assert may(here.course)
    assert not may(here.teacher)
    assert not may("u9", "c-" + "0" * 16)


def test_what_a_kill_left_is_swept(here: KeptCourse):
    """Unfinished archives go at the next start; those that are named stay."""
    backup = here.back_up()
    incoming = here.services.settings.state_dir / "backups/incoming"
    (incoming / f"{'1' * 32}.tar").write_bytes(b"half")
    (incoming / ("2" * 32)).mkdir()
    (incoming / ("2" * 32) / "gradebook.db").write_bytes(b"copy")
    assert repository.sweep(here.services) == 2
    assert [path.name for path in incoming.iterdir()] == ["lock"]
    assert here.archive(backup).exists()
