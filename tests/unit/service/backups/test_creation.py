"""What is in a backup, what is left out, and that nothing is left behind where it fails."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import threading

import pytest

from kore.service import jobs
from kore.service.backups.job import queue_backup
from kore.service.backups.reading import OpenBackup
from kore.service.schemas import JobInfo
from tests.support.course import FILES, FullCourse


def names(course: FullCourse, backup) -> set[str]:
    """Return the files in a backup's archive, as any tar program sees them."""
    with tarfile.open(course.archive(backup)) as archive:
        return {entry.name for entry in archive if entry.isfile()}


def failed(course: FullCourse, job: str) -> JobInfo:
    course.kore.work()
    report = jobs.read_report(course.kore.db, job)
    assert report.state == "failed", report
    return report


def test_a_backup_of_everything_is_complete(course: FullCourse):
    """Sources, work, points, feedback, a teacher's own files, and the exchange with its index."""
    backup = course.back_up()
    found = names(course, backup)
    assert {f"course/{path}" for path in FILES} <= found
    assert {"course/gradebook.db", "exchange/index.json", "manifest.json"} <= found
    assert len([name for name in found if name.startswith("exchange/")]) == 5
    assert (backup.assignments, backup.students, backup.contents) == (3, 2, "everything")
    assert backup.size == course.archive(backup).stat().st_size
    with OpenBackup(course.services, backup.id) as opened:
        manifest = opened.read_manifest()
    assert manifest.course == course.course
    assert manifest.title == course.title
    assert manifest.gradebook
    assert "source/empty" in {path.partition("/")[2] for path in manifest.folders}


def test_sources_have_nothing_about_students(here: FullCourse):
    """A backup of the assignments holds the folder ``source`` and nothing else."""
    backup = here.back_up("sources")
    assert names(here, backup) == {
        "manifest.json",
        *(f"course/{path}" for path in FILES if path.startswith("source/")),
    }
    content = here.archive(backup).read_bytes()
    assert b"u2" not in content.replace(b"Au2", b"")
    assert backup.students == 0


def test_only_kores_account_can_read_backups(here: FullCourse):
    """Folders and files of backups are closed to everyone else."""
    here.back_up()
    folder = here.services.settings.state_dir / "backups"
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_special_files_are_left_out_and_reported(here: FullCourse, tmp_path):
    """What is neither file nor folder never comes into a backup; the report says so."""
    secret = tmp_path / "secret"
    secret.write_text("for Kore only")
    (here.root / "source/ps1/link").symlink_to(secret)
    (here.root / "everything").symlink_to(tmp_path)
    os.mkfifo(here.root / "source/ps1/pipe")
    backup = here.back_up()
    assert b"for Kore only" not in here.archive(backup).read_bytes()
    left_out = {
        item.key
        for item in jobs.read_report(here.kore.db, backup.id).items
        if item.key != backup.id
    }
    assert left_out == {"source/ps1/link", "everything", "source/ps1/pipe"}


@pytest.mark.parametrize("what", ["link to another course", "link to kore", "no database"])
def test_only_the_courses_own_gradebook_is_copied(here: FullCourse, what):
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
    job = queue_backup(here.services, here.course, by=here.teacher, contents="everything")
    failed(here, job)
    assert here.has_no_backup()


def test_a_gradebook_in_use_is_copied_whole(here: FullCourse):
    """While someone writes, the copy has what was committed and nothing half written."""
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


def test_names_that_only_differ_by_case_are_reported(here: FullCourse):
    """Some systems take them for one: the second is left out, and the report says so."""
    here.write("source/ps1/A.txt", b"1")
    here.write("source/ps1/a.txt", b"2")
    backup = here.back_up()
    assert len({n for n in names(here, backup) if n.lower().endswith("/a.txt")}) == 1
    [item] = [i for i in jobs.read_report(here.kore.db, backup.id).items if i.key != backup.id]
    assert item.message is not None
    assert item.message.code == "left_out.twin"


def test_a_name_from_a_mac_is_kept(here: FullCourse):
    """Decomposed Unicode is no reason to leave a file out."""
    here.write("notes/U\u0308bung.txt", b"1")
    assert "course/notes/U\u0308bung.txt" in names(here, here.back_up())
