"""Jobs: the queue, leases, resumption after a kill, cancelling, and one at a time a course."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kore.service import audit, jobs
from kore.service.courses.launches import PROVISION
from kore.service.db.engine import Database, open_database
from kore.service.db.models import Job, JobItem, JobState, now
from kore.service.errors import Cancelled, Conflict, Unavailable
from kore.service.jobs import runner as jobs_runner
from kore.service.schemas import JobInfo
from kore.shared.messages import Message, message, plain

_WAIT = 30
_WORK, _MARKER = jobs.JobKind("test.work"), jobs.JobKind("test.marker")


@contextmanager
def _running(
    db: Database,
    work: jobs.Handler,
    more: Mapping[jobs.JobKind, jobs.Handler] | None = None,
    *,
    threads: int = 3,
) -> Iterator[jobs.Runner]:
    """Work through the queue with handlers that a test made."""
    services: Any = SimpleNamespace(db=db)
    runner = jobs.Runner(services, {_WORK: work, **(more or {})}, threads=threads)
    runner.start()
    try:
        yield runner
    finally:
        runner.stop()


def _do_nothing(_context: jobs.JobContext) -> None:
    pass


def _enqueue(
    db: Database, kind: jobs.JobKind = _WORK, course: str | None = "c-0", **more: Any
) -> str:
    more = {"message": plain("Work"), **more}
    with db.session() as session:
        return jobs.enqueue(session, kind, course_id=course, created_by="u1", **more).id


def _message(db: Database, job_id: str) -> Message | None:
    with db.reading() as session:
        return session.get_one(Job, job_id).message


def _ended(db: Database, runner: jobs.Runner, job_id: str) -> JobInfo:
    runner.wake()
    deadline = now() + timedelta(seconds=_WAIT)
    beat = threading.Event()
    while now() < deadline:
        info = jobs.read_report(db, job_id)
        if info.state in {"done", "failed", "cancelled"}:
            return info
        beat.wait(0.02)
    raise AssertionError(f"{job_id} did not end")


def test_a_job_runs_and_reports(db: Database):
    """A handler's progress and items are what the report shows."""

    def work(context: jobs.JobContext) -> None:
        context.progress(1, 2, plain("half"))
        context.item("u2", "Żaneta", "sent", plain("5 of 10"), given=5)
        context.item("u2", "Żaneta", "sent", plain("6 of 10"), given=6)
        context.progress(2, 2, plain("all sent"))

    with _running(db, work) as runner:
        info = _ended(db, runner, _enqueue(db, params={"resend": True}))
    assert (info.state, info.done, info.total) == ("done", 2, 2)
    assert info.message is not None
    assert (info.message.code, info.message.text) == ("plain", "all sent")
    with db.reading() as session:
        item = session.get_one(JobItem, (info.id, "u2"))
        assert (item.label, item.outcome, item.message) == ("Żaneta", "sent", plain("6 of 10"))
    assert [item.detail for item in info.items] == [{"given": 6}]
    assert info.started_at
    assert info.ended_at


def test_an_error_for_people_ends_the_job_with_its_message(db: Database):
    """A KoreError's message, with its parameters, is the job's; its hint is rendered with it."""

    def work(_context: jobs.JobContext) -> None:
        raise Conflict("job_final", since=3)

    with _running(db, work) as runner:
        info = _ended(db, runner, _enqueue(db))
    assert info.state == "failed"
    assert _message(db, info.id) == message("job_final", since=3)
    assert info.message is not None
    assert info.message.hint == "Wait until it has finished."


def test_a_bug_tells_no_internals(db: Database, caplog):
    """Any other exception is for the log; the report names the job alone."""

    def work(_context: jobs.JobContext) -> None:
        raise ZeroDivisionError("secret-detail")

    with _running(db, work) as runner:
        info = _ended(db, runner, _enqueue(db))
    assert info.state == "failed"
    assert _message(db, info.id) == message("job_crashed", job=info.id)
    assert "secret-detail" not in info.model_dump_json()
    assert "secret-detail" in caplog.text


def test_one_job_of_a_kind_works_on_a_course_at_a_time(db: Database):
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

    ids = [
        _enqueue(db, _WORK, "c-1", params={"meet": True}),
        _enqueue(db, _WORK, "c-1"),
        _enqueue(db, _WORK, "c-2", params={"meet": True}),
        _enqueue(db, _WORK, "c-1"),
    ]
    with _running(db, work, threads=4) as runner:
        assert [_ended(db, runner, job_id).state for job_id in ids] == ["done"] * 4
    assert ("c-1", "c-2") in together
    assert all(pair.count("c-1") < 2 for pair in together)


def test_a_waiting_job_serves_for_the_same_request(db: Database):
    """With coalesce, requests that come before the job begins share it; later ones do not."""
    begun, go_on = threading.Event(), threading.Event()

    def work(_context: jobs.JobContext) -> None:
        begun.set()
        assert go_on.wait(_WAIT)

    first = _enqueue(db, coalesce=True)
    assert _enqueue(db, coalesce=True) == first
    with _running(db, work) as runner:
        runner.wake()
        assert begun.wait(_WAIT)
        later = _enqueue(db, coalesce=True)
        assert later != first
        go_on.set()
        assert _ended(db, runner, later).state == "done"


def test_cancel_before_and_while_it_runs(db: Database):
    """A queued job is cancelled at once; a running one when its handler looks."""
    begun = threading.Event()

    def work(context: jobs.JobContext) -> None:
        begun.set()
        beat = threading.Event()
        while not context.cancelled():
            beat.wait(0.02)

    waiting = _enqueue(db, _WORK, "c-9")
    jobs.cancel(db, waiting, by="u1")
    assert jobs.read_report(db, waiting).state == "cancelled"
    running = _enqueue(db)
    with _running(db, work) as runner:
        runner.wake()
        assert begun.wait(_WAIT)
        jobs.cancel(db, running, by="u1")
        assert _ended(db, runner, running).state == "cancelled"
    assert jobs.read_report(db, waiting).started_at is None


def test_a_lost_lease_is_taken_over(db: Database):
    """A job whose runner died is begun again, and its handler knows."""
    attempts: list[int] = []

    def work(context: jobs.JobContext) -> None:
        attempts.append(context.attempt)

    job_id = _enqueue(db)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "gone:1:x", 1
        job.lease_until = now() - timedelta(seconds=1)
    with _running(db, work) as runner:
        assert _ended(db, runner, job_id).state == "done"
    assert attempts == [2]


def test_a_lease_that_ran_out_is_not_taken_over_by_who_is_at_it(db: Database, monkeypatch):
    """A machine that slept renews too late: no thread of the same process begins the job again."""
    monkeypatch.setattr(jobs_runner, "_HEARTBEAT_SECONDS", _WAIT)
    attempts: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(context):
        attempts.append(context.attempt)
        begun.set()
        assert go_on.wait(_WAIT)

    with _running(db, work, {_MARKER: _do_nothing}) as runner:
        job_id = _enqueue(db)
        runner.wake()
        assert begun.wait(_WAIT)
        with db.session() as session:
            session.get_one(Job, job_id).lease_until = now() - timedelta(seconds=1)
        _ended(db, runner, _enqueue(db, _MARKER, "c-8"))
        go_on.set()
        assert _ended(db, runner, job_id).state == "done"
    assert attempts == [1]


def test_a_job_that_kills_its_runner_is_given_up(db: Database):
    """After five interruptions a job fails instead of killing the next runner."""
    job_id = _enqueue(db)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "gone:1:x", 5
        job.lease_until = now() - timedelta(seconds=1)
    with _running(db, _do_nothing) as runner:
        assert _ended(db, runner, job_id).state == "failed"
    assert _message(db, job_id) == message("job_interrupted", n=5)


def test_a_running_lease_is_left_alone(db: Database):
    """A job that another runner works on is not begun a second time."""

    def work(_context: jobs.JobContext) -> None:
        pytest.fail("begun twice")

    job_id = _enqueue(db)
    with db.session() as session:
        job = session.get_one(Job, job_id)
        job.state, job.owner, job.attempts = JobState.RUNNING, "other:1:x", 1
        job.lease_until = now() + timedelta(minutes=5)
    other = _enqueue(db, _WORK, "c-7")
    jobs.cancel(db, other, by="u1")
    with _running(db, work, {_MARKER: _do_nothing}) as runner:
        _ended(db, runner, _enqueue(db, _MARKER, "c-8"))
    assert jobs.read_report(db, job_id).state == "running"


_VICTIM = """
import sys, threading
from types import SimpleNamespace
from kore.service import jobs
from kore.service.db.engine import open_database
from kore.shared.messages import plain
db = open_database(sys.argv[1])
def work(context):
    if context.attempt == 1:
        print("begun", flush=True)
        threading.Event().wait()
    context.progress(1, 1, plain(f"attempt {context.attempt}"))
runner = jobs.Runner(SimpleNamespace(db=db), {jobs.JobKind("test.work"): work}, threads=1)
runner.start()
threading.Event().wait()
"""


@pytest.mark.slow
def test_a_killed_process_leaves_its_job_to_the_next(database_url: str):
    """SIGKILL in the middle: the next process ends the job once the lease has run out."""
    db = open_database(database_url)
    job_id = _enqueue(db)
    command = [sys.executable, "-c", _VICTIM, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "begun\n"
        os.kill(victim.pid, signal.SIGKILL)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as next_one:
        try:
            deadline = now() + jobs_runner.LEASE + timedelta(seconds=_WAIT)
            beat = threading.Event()
            while (info := jobs.read_report(db, job_id)).state != "done" and now() < deadline:
                beat.wait(0.1)
        finally:
            next_one.kill()
    assert info.state == "done"
    assert _message(db, job_id) == plain("attempt 2")
    db.close()


def test_jobs_that_need_a_course_alone_take_turns(db: Database):
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

    copy, backup = (jobs.JobKind(name, exclusive=True) for name in ("test.copy", "test.backup"))
    look = jobs.JobKind("test.look")
    ids = [_enqueue(db, kind, "c-1") for kind in (copy, backup) * 3]
    ids += [_enqueue(db, kind, "c-1", params={"meet": True}) for kind in (copy, look)]
    handlers = dict.fromkeys((copy, backup, look), work)
    with _running(db, work, handlers, threads=4) as runner:
        assert [_ended(db, runner, job_id).state for job_id in ids] == ["done"] * 8
    assert {"test.copy", "test.look"} in together
    assert not any({"test.copy", "test.backup"} <= met for met in together)


def test_past_the_point_of_no_return_a_job_is_completed(db: Database, monkeypatch):
    """It cannot be cancelled, and where it fails it begins again until it has succeeded."""
    attempts: list[dict] = []

    def work(context: jobs.JobContext) -> None:
        attempts.append(context.params)
        if not context.is_final:
            context.no_return(step=1)
        with pytest.raises(Conflict) as refused:
            jobs.cancel(db, context.job_id, by="u1")
        assert refused.value.code == "job_final"
        if context.attempt < 3:
            raise Unavailable("job_final")

    monkeypatch.setattr(jobs_runner, "_MAX_PAUSE_SECONDS", 0)
    monkeypatch.setattr(jobs_runner, "_MAX_ATTEMPTS", 1)
    job_id = _enqueue(db)
    with _running(db, work) as runner:
        assert _ended(db, runner, job_id).state == "done"
    assert [params.get("step") for params in attempts] == [None, 1, 1]


def test_a_cancel_before_the_point_of_no_return_holds(db: Database):
    """Who cancelled in time is told that nothing was changed."""

    def work(context: jobs.JobContext) -> None:
        jobs.cancel(db, context.job_id, by="u1")
        context.no_return()
        pytest.fail("went on")

    with _running(db, work) as runner:
        info = _ended(db, runner, _enqueue(db))
    assert info.state == "cancelled"
    assert _message(db, info.id) == message("job_cancelled.unchanged")


def test_a_job_claimed_as_kore_stops_is_not_lost(db: Database):
    """A job that a stopping runner has claimed and not begun goes back into the queue."""

    def work(context: jobs.JobContext) -> None:
        context.progress(1, 1, plain("worked"))

    job_id = _enqueue(db)
    services: Any = SimpleNamespace(db=db)
    stopped = jobs.Runner(services, {_WORK: work}, threads=1)
    context = stopped._claim()
    assert context is not None
    stopped._stopping.set()
    stopped._run(context)
    with _running(db, work) as runner:
        _ended(db, runner, job_id)
    assert _message(db, job_id) == plain("worked")


def test_every_job_is_in_the_audit_of_its_course(db: Database):
    """Who asked for what, and the outcome once it is there; Kore's own doing is not recorded."""

    def work(context: jobs.JobContext) -> None:
        if context.params.get("fail"):
            raise Conflict("job_final")

    first = _enqueue(db, message=plain("Worked a little"))
    second = _enqueue(db, params={"fail": True})
    asked = audit.list_entries(db, "c-0", page=1, per_page=50)
    assert [entry.outcome for entry in asked.entries] == ["asked", "asked"]
    cancelled = _enqueue(db)
    jobs.cancel(db, cancelled, by="u2")
    _enqueue(db, PROVISION)
    with _running(db, work) as runner:
        _ended(db, runner, first)
        _ended(db, runner, second)
    found = audit.list_entries(db, "c-0", page=1, per_page=50).entries
    assert [(e.action, e.outcome, e.job, e.by) for e in found] == [
        ("job.cancel", "done", cancelled, "u2"),
        ("test.work", "cancelled", cancelled, "u1"),
        ("test.work", "failed", second, "u1"),
        ("test.work", "done", first, "u1"),
    ]
    [oldest] = audit.list_entries(db, "c-0", page=4, per_page=1).entries
    assert oldest.message is not None
    assert oldest.message.text == "Worked a little"


def test_a_job_that_stops_with_kore_is_taken_up_again(db: Database):
    """A handler that ends as cancelled because Kore stops has a job that the next Kore does."""
    begun = threading.Event()

    def work(context: jobs.JobContext) -> None:
        if context.attempt > 1:
            return
        begun.set()
        assert context.stopping.wait(_WAIT)
        raise Cancelled("job_cancelled.unchanged")

    with _running(db, work) as runner:
        job_id = _enqueue(db)
        runner.wake()
        assert begun.wait(_WAIT)
    assert jobs.read_report(db, job_id).state == "running"
    with _running(db, work) as runner:
        assert _ended(db, runner, job_id).state == "done"
