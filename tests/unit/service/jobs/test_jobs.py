"""Jobs: the queue, leases, resumption after a kill, cancelling, and one at a time a course."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import kore.service.courses.provision  # noqa: F401  (registers its job)
from kore.service import audit, jobs
from kore.service.db.engine import Database, open_database
from kore.service.db.models import Job, JobState, now
from kore.service.errors import KoreError
from kore.service.jobs import queue
from kore.service.jobs import runner as jobs_runner

_WAIT = 30


@contextmanager
def _running(db: Database, threads: int = 3) -> Iterator[jobs.Runner]:
    services: Any = SimpleNamespace(db=db)
    runner = jobs.Runner(services, threads=threads)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


@pytest.fixture
def kind(monkeypatch, request):
    """Register a handler for one test only."""

    def register(function, name="test.work"):
        monkeypatch.setitem(queue.handlers, name, function)
        return name

    return register


def _enqueue(db: Database, kind: str, course: str | None = "c-0", **more) -> str:
    with db.session() as session:
        return jobs.enqueue(session, kind, course_id=course, created_by="u1", **more).id


def _ended(db: Database, runner: jobs.Runner, job_id: str) -> jobs.JobInfo:
    runner.wake()
    deadline = now() + timedelta(seconds=_WAIT)
    beat = threading.Event()
    while now() < deadline:
        info = jobs.report(db, job_id)
        if info.state in {"done", "failed", "cancelled"}:
            return info
        beat.wait(0.02)
    raise AssertionError(f"{job_id} did not end")


def test_a_job_runs_and_reports(db: Database, kind):
    """A handler's progress and items are what the report shows."""

    def work(context: jobs.JobContext) -> None:
        context.progress(1, 2, "half")
        context.item("u2", "Żaneta", "sent", "5 of 10", given=5)
        context.item("u2", "Żaneta", "sent", "6 of 10", given=6)
        context.progress(2, 2, "all sent")

    name = kind(work)
    with _running(db) as runner:
        info = _ended(db, runner, _enqueue(db, name, params={"resend": True}))
    assert (info.state, info.done, info.total, info.message) == ("done", 2, 2, "all sent")
    assert [(item.key, item.words, item.detail) for item in info.items] == [
        ("u2", "6 of 10", {"given": 6})
    ]
    assert info.started_at
    assert info.ended_at


def test_an_error_for_people_is_kept_in_words(db: Database, kind):
    """A KoreError ends the job with its message and hint."""

    def work(_context: jobs.JobContext) -> None:
        raise KoreError(409, "grades_off", "Grades are off.", "Switch them on.")

    name = kind(work)
    with _running(db) as runner:
        info = _ended(db, runner, _enqueue(db, name))
    assert (info.state, info.message, info.hint) == ("failed", "Grades are off.", "Switch them on.")


def test_a_bug_tells_no_internals(db: Database, kind, caplog):
    """Any other exception is for the log; the report has words and the job's number."""

    def work(_context: jobs.JobContext) -> None:
        raise ZeroDivisionError("secret-detail")

    name = kind(work)
    with _running(db) as runner:
        info = _ended(db, runner, _enqueue(db, name))
    assert info.state == "failed"
    assert "secret-detail" not in info.message + info.hint
    assert info.id in info.hint
    assert "secret-detail" in caplog.text


def test_one_job_of_a_kind_works_on_a_course_at_a_time(db: Database, kind):
    """Jobs of one course and kind follow each other; another course's run meanwhile."""
    inside: list[str] = []
    together: list[tuple[str, ...]] = []
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=_WAIT)

    def work(context: jobs.JobContext) -> None:
        assert context.course_id is not None
        with lock:
            inside.append(context.course_id)
            together.append(tuple(sorted(inside)))
        if context.params.get("meet"):
            both.wait()
        with lock:
            inside.remove(context.course_id)

    name = kind(work)
    ids = [
        _enqueue(db, name, "c-1", params={"meet": True}),
        _enqueue(db, name, "c-1"),
        _enqueue(db, name, "c-2", params={"meet": True}),
        _enqueue(db, name, "c-1"),
    ]
    with _running(db, threads=4) as runner:
        assert [_ended(db, runner, job_id).state for job_id in ids] == ["done"] * 4
    assert ("c-1", "c-2") in together
    assert all(pair.count("c-1") < 2 for pair in together)


def test_a_waiting_job_serves_for_the_same_request(db: Database, kind):
    """With coalesce, requests that come before the job begins share it; later ones do not."""
    begun, go_on = threading.Event(), threading.Event()

    def work(_context: jobs.JobContext) -> None:
        begun.set()
        assert go_on.wait(_WAIT)

    name = kind(work)
    first = _enqueue(db, name, coalesce=True)
    assert _enqueue(db, name, coalesce=True) == first
    with _running(db) as runner:
        runner.wake()
        assert begun.wait(_WAIT)
        later = _enqueue(db, name, coalesce=True)
        assert later != first
        go_on.set()
        assert _ended(db, runner, later).state == "done"


def test_cancel_before_and_while_it_runs(db: Database, kind):
    """A queued job is cancelled at once; a running one when its handler looks."""
    begun = threading.Event()

    def work(context: jobs.JobContext) -> None:
        begun.set()
        beat = threading.Event()
        while not context.cancelled():
            beat.wait(0.02)

    name = kind(work)
    waiting = _enqueue(db, name, "c-9")
    jobs.cancel(db, waiting)
    assert jobs.report(db, waiting).state == "cancelled"
    running = _enqueue(db, name)
    with _running(db) as runner:
        runner.wake()
        assert begun.wait(_WAIT)
        jobs.cancel(db, running)
        assert _ended(db, runner, running).state == "cancelled"
    assert jobs.report(db, waiting).started_at is None


def test_a_lost_lease_is_taken_over(db: Database, kind):
    """A job whose runner died is begun again, and its handler knows."""
    attempts: list[int] = []
    name = kind(lambda context: attempts.append(context.attempt))
    job_id = _enqueue(db, name)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "gone:1:x", 1
        job.lease_until = now() - timedelta(seconds=1)
    with _running(db) as runner:
        assert _ended(db, runner, job_id).state == "done"
    assert attempts == [2]


def test_a_lease_that_ran_out_is_not_taken_over_by_who_is_at_it(db: Database, kind, monkeypatch):
    """A machine that slept renews too late: no thread of the same process begins the job again."""
    monkeypatch.setattr(jobs_runner, "_HEARTBEAT_SECONDS", _WAIT)
    attempts: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(context):
        attempts.append(context.attempt)
        begun.set()
        assert go_on.wait(_WAIT)

    name = kind(work)
    with _running(db) as runner:
        job_id = _enqueue(db, name)
        runner.wake()
        assert begun.wait(_WAIT)
        with db.session() as session:
            session.get_one(Job, job_id).lease_until = now() - timedelta(seconds=1)
        marker = kind(lambda _context: None, "test.marker")
        _ended(db, runner, _enqueue(db, marker, "c-8"))
        go_on.set()
        assert _ended(db, runner, job_id).state == "done"
    assert attempts == [1]


def test_a_job_that_kills_its_runner_is_given_up(db: Database, kind):
    """After five interruptions a job fails instead of killing the next runner."""
    name = kind(lambda _context: None)
    job_id = _enqueue(db, name)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "gone:1:x", 5
        job.lease_until = now() - timedelta(seconds=1)
    with _running(db) as runner:
        assert _ended(db, runner, job_id).state == "failed"


def test_a_running_lease_is_left_alone(db: Database, kind):
    """A job that another runner works on is not begun a second time."""
    name = kind(lambda _context: pytest.fail("begun twice"))
    job_id = _enqueue(db, name)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "other:1:x", 1
        job.lease_until = now() + timedelta(minutes=5)
    other = _enqueue(db, name, "c-7")
    jobs.cancel(db, other)
    marker = kind(lambda _context: None, "test.marker")
    with _running(db) as runner:
        _ended(db, runner, _enqueue(db, marker, "c-8"))
    assert jobs.report(db, job_id).state == "running"


_VICTIM = """
import sys, threading
from types import SimpleNamespace
import kore.service.courses.provision  # noqa: F401  (registers its job)
from kore.service import audit, jobs
from kore.service.db.engine import open_database
db = open_database(sys.argv[1])
@jobs.handler("test.victim")
def work(context):
    if context.attempt == 1:
        print("begun", flush=True)
        threading.Event().wait()
    context.progress(1, 1, f"attempt {context.attempt}")
runner = jobs.Runner(SimpleNamespace(db=db), threads=1)
runner.start()
threading.Event().wait()
"""


@pytest.mark.slow
def test_a_killed_process_leaves_its_job_to_the_next(database_url: str):
    """SIGKILL in the middle: the next process ends the job once the lease has run out."""
    db = open_database(database_url)
    job_id = _enqueue(db, "test.victim")
    command = [sys.executable, "-c", _VICTIM, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout.readline() == "begun\n"
        os.kill(victim.pid, signal.SIGKILL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as next_one:
        try:
            deadline = now() + jobs_runner.LEASE + timedelta(seconds=_WAIT)
            beat = threading.Event()
            while (info := jobs.report(db, job_id)).state != "done" and now() < deadline:
                beat.wait(0.1)
        finally:
            next_one.kill()
    assert (info.state, info.message) == ("done", "attempt 2")
    db.close()


def test_jobs_that_need_a_course_alone_take_turns(db: Database, kind, monkeypatch):
    """Of the kinds that need a course alone one works at a time; others work beside it."""
    inside: set[str] = set()
    together: list[set[str]] = []
    lock = threading.Lock()
    beside = threading.Barrier(2, timeout=_WAIT)

    def work(context: jobs.JobContext) -> None:
        with lock:
            inside.add(context.kind)
            together.append(set(inside))
        if context.params.get("meet"):
            beside.wait()
        with lock:
            inside.discard(context.kind)

    kinds = [kind(work, name) for name in ("test.copy", "test.backup", "test.look")]
    monkeypatch.setattr(jobs_runner, "alone_kinds", {"test.copy", "test.backup"})
    ids = [_enqueue(db, name, "c-1") for name in kinds[:2] * 3]
    ids += [_enqueue(db, kinds[0], "c-1", params={"meet": True})]
    ids += [_enqueue(db, kinds[2], "c-1", params={"meet": True})]
    with _running(db, threads=4) as runner:
        assert [_ended(db, runner, job_id).state for job_id in ids] == ["done"] * 8
    assert {"test.copy", "test.look"} in together
    assert not any({"test.copy", "test.backup"} <= met for met in together)


def test_past_the_point_of_no_return_a_job_is_completed(db: Database, kind, monkeypatch):
    """It cannot be cancelled, and where it fails it begins again until it has succeeded."""
    attempts: list[dict] = []

    def work(context: jobs.JobContext) -> None:
        attempts.append(context.params)
        if not context.is_final:
            context.no_return(step=1)
        with pytest.raises(KoreError, match="cannot be stopped"):
            jobs.cancel(db, context.job_id)
        if context.attempt < 3:
            raise KoreError(503, "hub_away", "The hub does not answer.")

    name = kind(work)
    monkeypatch.setattr(jobs_runner, "_LONGEST_PAUSE", 0)
    monkeypatch.setattr(jobs_runner, "_MOST_ATTEMPTS", 1)
    job_id = _enqueue(db, name)
    with _running(db) as runner:
        assert _ended(db, runner, job_id).state == "done"
    assert [params.get("step") for params in attempts] == [None, 1, 1]


def test_a_cancel_before_the_point_of_no_return_holds(db: Database, kind):
    """Who cancelled in time is told that nothing was changed."""

    def work(context: jobs.JobContext) -> None:
        jobs.cancel(db, context.job_id)
        context.no_return()
        pytest.fail("went on")

    name = kind(work)
    with _running(db) as runner:
        info = _ended(db, runner, _enqueue(db, name))
    assert (info.state, info.message) == ("cancelled", "Stopped before anything was changed.")


def test_a_job_claimed_as_kore_stops_is_not_lost(db: Database, kind):
    """A job that a stopping runner has claimed and not begun goes back into the queue."""
    name = kind(lambda context: context.progress(1, 1, "worked"))
    job_id = _enqueue(db, name)
    services: Any = SimpleNamespace(db=db)
    stopped = jobs.Runner(services, threads=1)
    context = stopped._claim()
    assert context is not None
    stopped._stopping.set()
    stopped._run(context)
    with _running(db) as runner:
        assert _ended(db, runner, job_id).message == "worked"


def test_every_job_is_in_the_audit_of_its_course(db: Database, kind):
    """Who asked for what, and the outcome once it is there; Kore's own doing is not noted."""

    def work(context: jobs.JobContext) -> None:
        if context.params.get("fail"):
            raise KoreError(409, "no", "No.")

    name = kind(work)
    first = _enqueue(db, name, words="Worked a little")
    second = _enqueue(db, name, params={"fail": True})
    asked = audit.listed(db, "c-0", page=1, per_page=50)
    assert [entry.outcome for entry in asked.entries] == ["asked", "asked"]
    jobs.cancel(db, _enqueue(db, name))
    _enqueue(db, "course.provision")
    with _running(db) as runner:
        _ended(db, runner, first)
        _ended(db, runner, second)
    found = audit.listed(db, "c-0", page=1, per_page=2)
    assert found.total == 3
    assert [(e.words, e.outcome, e.job) for e in found.entries[1:]] == [(name, "failed", second)]
    [oldest] = audit.listed(db, "c-0", page=2, per_page=2).entries
    assert (oldest.words, oldest.outcome, oldest.by) == ("Worked a little", "done", "u1")
