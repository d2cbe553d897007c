"""The repository of backups: its quota, a full disk, and what a kill leaves."""

from __future__ import annotations

from dataclasses import replace

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.job import queue_backup
from kore.service.exchange.store import Store
from kore.service.schemas import JobInfo
from tests.support.course import FullCourse
from tests.support.lifecycle import code_of


def failed(course: FullCourse, job: str) -> JobInfo:
    course.kore.work()
    report = jobs.read_report(course.kore.db, job)
    assert report.state == "failed", report
    return report


def test_a_backup_over_the_quota_is_refused(here: FullCourse):
    """Over the course's limit nothing is stored, and the message names the limit and what to do."""
    limits = replace(here.services.settings.limits, backups=20_000)
    here.kore.services = replace(
        here.services, settings=replace(here.services.settings, limits=limits)
    )
    here.kore.runner._services = here.kore.services
    job = queue_backup(here.services, here.course, by=here.teacher, contents="everything")
    report = failed(here, job)
    assert report.message is not None
    assert (report.message.code, report.message.params) == ("quota.backups", {"limit": 20_000})
    assert "KORE_LIMIT_BACKUPS" in (report.message.hint or "")
    assert here.has_no_backup()


def test_a_full_disk_leaves_nothing(here: FullCourse, monkeypatch):
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
    job = queue_backup(here.services, here.course, by=here.teacher, contents="everything")
    assert code_of(failed(here, job)) == "disk_full"
    assert here.has_no_backup()


def test_leftovers_of_a_kill_are_swept(here: FullCourse):
    """Unfinished archives go at the next start; those that are named stay."""
    backup = here.back_up()
    incoming = here.services.settings.state_dir / "backups/incoming"
    (incoming / f"{'1' * 32}.tar").write_bytes(b"half")
    (incoming / ("2" * 32)).mkdir()
    (incoming / ("2" * 32) / "gradebook.db").write_bytes(b"copy")
    assert repository.sweep(here.services) == 2
    assert [path.name for path in incoming.iterdir()] == ["lock"]
    assert here.archive(backup).exists()
