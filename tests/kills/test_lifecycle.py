"""Kills at random moments: afterwards a course is as before or as after, and nothing is left.

Each round begins with the same course. Its job is killed once or several times; then, where
it is not too late, one half of the rounds cancel it and must find the course as it was. The
others let it run to its end, and must find what an undisturbed run leaves.
"""

from __future__ import annotations

import random
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.archives import BackupInspector
from kore.service.backups.job import queue_backup
from kore.service.db.models import Backup, Job, JobState, now
from kore.service.errors import Conflict
from kore.service.exchange import index
from kore.service.lifecycle import ending, preconditions, restoring
from kore.service.services import Services
from kore.service.settings import Limits
from tests.support import job_process
from tests.support.course import FullCourse, state_of
from tests.support.kore import make_kore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 30
PEOPLE = ["u1", "u2", "u3"]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A course with a backup of everything, and something newer than that."""
    folder = tmp_path_factory.mktemp("template")
    with make_kore(folder) as kore:
        course = FullCourse(kore)
        for number in range(30):
            course.write(f"submitted/u3/ps2/file-{number}.txt", b"x" * 2000)
        backup = course.back_up()
        course.write("source/ps1/squares.ipynb", b"newer")
        course.write("source/ps9/new.ipynb", b"{}")
        course.submit("u3")
        yield folder, course.course, course.title, backup.id


def _begin(services: Services, course: str, title: str, backup: str, what: str) -> str:
    arguments = {"by": "u1", "confirm": title}
    if what == "backup":
        return queue_backup(services, course, by="u1", contents="everything")
    if what == "restore":
        return restoring.queue_restore(services, course, backup_id=backup, **arguments)
    kind = preconditions.RESET if what == "reset" else preconditions.DELETE
    return ending.queue_ending(services, kind, course, backup=True, **arguments)


def _state(services: Services, course: str) -> dict:
    """Return what is in the course, and its backups; each of them must be whole."""
    found = state_of(services, course)
    with services.db.reading() as session:
        rows = session.scalars(select(Backup)).all()
    for row in rows:
        checker = BackupInspector(Limits())
        with repository.open_store(services).open(row.course_id, row.id) as handle:
            while piece := handle.read(1 << 20):
                checker.feed(piece)
        checker.finish()
    return {**found, "backups": sorted(row.origin for row in rows)}


def _left_over(services: Services, course: str) -> list[str]:
    """Return the files that nothing names and that a start's sweep has left."""
    index.sweep(services)
    repository.sweep(services)
    folder = services.settings.state_dir / "backups"
    found = [path for path in (folder / "incoming").iterdir() if path.name != "lock"]
    found += (services.settings.exchange / "incoming").glob("*.tar")
    found += services.host.course_root(course).glob(".kore*")
    return [str(path) for path in found]


def _expire(services: Services) -> None:
    """Let the leases of the process that was killed run out."""
    with services.db.session() as session:
        session.execute(
            update(Job)
            .where(Job.state == JobState.RUNNING)
            .values(lease_until=now() - timedelta(seconds=1))
        )


def _cancel(services: Services, job: str) -> str:
    """Cancel a job; return what must be found then."""
    try:
        jobs.cancel(services.db, job, by="u1")
    except Conflict:
        return "after"
    return "before"


def _finish(place: Path, course: str) -> float:
    began = time.monotonic()
    process = job_process.start(place, course, PEOPLE)
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - began


@pytest.mark.parametrize("what", ["backup", "restore", "reset", "delete"])
def test_killed_at_any_moment(template, tmp_path, what):
    """At least thirty kills of each operation: all or nothing, and nothing left behind."""
    folder, course, title, backup = template
    chance, kills, outcomes = random.Random(what), 0, {"before": 0, "after": 0}

    place = tmp_path / "undisturbed"
    shutil.copytree(folder, place)
    with job_process.opened(place, course, PEOPLE) as services:
        before = _state(services, course)
        _begin(services, course, title, backup, what)
        _finish(place, course)
        after = _state(services, course)
        assert after != before
    again = tmp_path / "measured"
    shutil.copytree(folder, again)
    with job_process.opened(again, course, PEOPLE) as services:
        _begin(services, course, title, backup, what)
        longest = _finish(again, course)

    while kills < KILLS or not all(outcomes.values()):
        place = tmp_path / f"round-{kills}"
        shutil.copytree(folder, place)
        with job_process.opened(place, course, PEOPLE) as services:
            job = _begin(services, course, title, backup, what)
            for _ in range(chance.randint(1, 3)):
                process = job_process.start(place, course, PEOPLE)
                process.join(chance.uniform(0, longest))
                process.kill()
                process.join()
                kills += 1
                _expire(services)
            expected = "after"
            if chance.random() < 0.5 and jobs.read_report(services.db, job).ended_at is None:
                expected = _cancel(services, job)
            _finish(place, course)
            report = jobs.read_report(services.db, job)
            found = _state(services, course)
            if what == "backup" and expected == "before" and report.state == "done":
                expected = "after"
            if expected == "before":
                # The backup from before may be there already; it is whole.
                assert report.state == "cancelled", report
                found["backups"] = before["backups"]
                assert found == before, (kills, what)
            else:
                assert report.state == "done", report
                assert found == after, (kills, what)
            outcomes[expected] += 1
            assert _left_over(services, course) == []
        shutil.rmtree(place)
    print(what, kills, outcomes, round(longest, 2))  # noqa: T201
