"""Concurrent sending: limits, several jobs, cancellation, restarts."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from kore.service import jobs
from kore.service.db.models import Job
from kore.service.jobs import Runner
from tests.support.graded_course import (
    ALL_SENT,
    EVERYONE,
    HANDLERS,
    ONCE,
    counts,
    graded_course,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def test_concurrent_requests_are_limited_per_platform(tmp_path):
    """The limit holds over all jobs of a platform, and is used up."""
    with graded_course(tmp_path) as course:
        slugs = course.fill(16)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        first = course.queue()
        course.activity = "systems"
        course.launch("tilda")
        for slug in slugs:
            course.launch(slug)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        second = course.queue()
        # One more than four at once, and the LMS would say 429.
        course.lms.behave(max_concurrent=4, score_delay_ms=30)
        with working(course, threads=2):
            for job in (first, second):
                wait_until_done(course, job)
        seen = course.lms.service_requests("score")
        assert {r["status"] for r in seen} == {200}
        assert len(seen) == 32
        spans = sorted((r["timestamp"] - r["duration_ms"] / 1000, r["timestamp"]) for r in seen)
        assert max(sum(a <= t < b for a, b in spans) for t, _ in spans) == 4


def test_two_jobs_of_a_course_do_not_overlap(course):
    """The second job waits for the first, so that no score overtakes another."""
    course.grade(EVERYONE)
    first, second = course.queue(resend=True), course.queue(resend=True)
    course.lms.behave(score_delay_ms=40)
    with working(course, threads=3):
        wait_until_done(course, second)
    assert course.report(first).outcomes == course.report(second).outcomes == ALL_SENT
    with course.services.db.reading() as session:
        one, two = session.get_one(Job, first), session.get_one(Job, second)
    assert one.ended_at <= two.started_at
    assert course.held() == {s: (p, 2) for s, (p, _) in ONCE.items()}


def test_cancelled_job_reports_what_was_not_sent(tmp_path):
    """Requests under way finish, the rest is reported as not sent, a later job sends it."""
    with graded_course(tmp_path) as course:
        slugs = course.fill(24)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        # Six rounds of four: a request to stop is looked for every 0.5 s.
        course.lms.behave(score_delay_ms=500)
        job_id = course.queue()
        worker = threading.Thread(target=course.work)
        worker.start()
        wait_until(lambda: len(course.lms.service_requests("score")) >= 4)
        jobs.cancel(course.services.db, job_id, by=course.users["tilda"])
        worker.join(timeout=60)
        report = course.report(job_id)
        assert report.state == "cancelled"
        sent = {s for s in slugs if report.outcomes[s] == "sent"}
        assert 4 <= len(sent) < 24
        assert {report.lines[s].message.id for s in set(slugs) - sent} <= {
            "grades.not_sent",
            "grades.unconfirmed",
        }
        course.lms.behave(score_delay_ms=0)
        course.send()
        assert {course.held()[s] for s in slugs} == {(50, 1)}


def test_job_continues_after_a_restart(tmp_path):
    """A restart of Kore does not cancel the job: the next process sends the rest."""
    with graded_course(tmp_path, students=()) as course:
        slugs = course.fill(24)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        course.lms.behave(score_delay_ms=500)
        job_id = course.queue()
        with working(course, threads=1):
            wait_until(lambda: len(course.lms.service_requests("score")) >= 4)
        assert course.report(job_id).state == "running"
        assert 4 <= sum(writes for _, writes in course.held().values()) < 24
        course.lms.behave(score_delay_ms=0)
        with working(course, threads=1):
            wait_until_done(course, job_id)
        assert course.report(job_id).message == counts(sent=24)
        assert {course.held()[s] for s in slugs} == {(50, 1)}


def wait_until_done(course, job_id):
    """Wait until a job is done."""
    wait_until(lambda: course.report(job_id).state == "done")


@contextmanager
def working(course, threads):
    """Work on jobs in threads, as Kore does."""
    runner = Runner(course.services, HANDLERS, threads=threads)
    runner.start()
    yield
    runner.stop()
