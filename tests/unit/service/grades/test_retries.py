"""Sending while the LMS throttles, fails or does not answer."""

from __future__ import annotations

import time

import pytest

from kore.service.lti.client import RetryPolicy
from kore.shared.messages import message
from tests.support.graded_course import (
    ALL_SENT,
    EVERYONE,
    ON_THE_COLUMN,
    ONCE,
    QUICK,
    graded_course,
)

pytestmark = pytest.mark.slow


def fault(kind, **more):
    return {"kind": kind, **more}


@pytest.mark.parametrize(
    "faults",
    [
        [fault("429", times=2, retry_after=1)],
        [fault("503", times=3)],
        [fault("403", times=2, retry_after=1)],
        [fault("403", times=2)],
        [fault("500")],
        [fault("reset", times=3)],
        [fault("slow", seconds=QUICK.read + 0.3)],
        [fault("503", service="token", times=2), fault("reset", service="lineitem")],
        [fault("reset", service="token", when="after")],
    ],
    ids=lambda faults: "+".join(f"{f['kind']}-{f.get('service', 'score')}" for f in faults),
)
def test_transient_faults_are_retried(any_course, faults):
    """After throttling, overload or lost connections everyone's score arrives."""
    any_course.lms.behave(fail_next=faults)
    any_course.grade(EVERYONE)
    report = any_course.send()
    assert (report.state, report.outcomes) == ("done", ALL_SENT)
    assert {s: points for s, (points, _) in any_course.held().items()} == ON_THE_COLUMN


def test_retry_after_holds_for_all_threads(tmp_path):
    """After 429 with Retry-After no thread sends a request before that time."""
    with graded_course(tmp_path, students=()) as course:
        slugs = course.fill(5)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        # Four are asked for at once. The fifth could go when the three others end, at 0.6 s.
        course.lms.behave(fail_next=[fault("429", retry_after=1)], score_delay_ms=600)
        course.send()
        seen = course.lms.service_requests("score")
    (throttled,) = [r for r in seen if r["status"] == 429]
    begun = [
        r["timestamp"] - r["duration_ms"] / 1000 - throttled["timestamp"]
        for r in seen
        if r is not throttled
    ]
    # Requests that were under way at that moment could not be stopped.
    assert not [after for after in begun if 0.4 < after < 0.9]
    assert len([after for after in begun if after >= 0.9]) >= 2


@pytest.mark.parametrize("kind", ["reset", "503", "bad_status_line"])
def test_lost_answer_sends_no_second_score(tmp_path, kind):
    """If a score arrived but its answer was lost, repeating it changes nothing."""
    with graded_course(tmp_path) as course:
        course.assignment("ps1", 10)
        course.lms.behave(fail_next=[fault(kind, times=2, when="after")])
        course.grade(EVERYONE)
        outcomes = course.send().outcomes
        assert course.held() == ONCE
        if kind != "bad_status_line":
            assert outcomes == ALL_SENT


def test_unreachable_lms_ends_the_job_soon(tmp_path):
    """The job gives up before every student waited; the next job sends all scores."""
    policy = RetryPolicy(max_tries=2, first_wait=0.01, max_wait=1, budget=5)
    with graded_course(tmp_path, policy=policy) as course:
        slugs = course.fill(20)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        course.lms.behave(fail_next=[fault("503", times=1000)])
        report = course.send()
        assert report.state == "failed"
        assert report.message.id == "lms_unavailable.gave_up"
        assert report.message.params["reason"] == message("lms.overloaded", status=503)
        assert {report.outcomes[s] for s in slugs} == {"failed"}
        assert len(course.lms.service_requests("score")) < 20
        course.lms.behave(fail_next=[])
        outcomes = course.send().outcomes
        assert {outcomes[s] for s in slugs} == {"sent"}
        assert {course.held()[s] for s in slugs} == {(50, 1)}


def test_too_long_retry_after_fails_the_score(course):
    """If the LMS asks to wait for a day, the score fails and says so."""
    course.lms.behave(fail_next=[fault("429", times=100, retry_after=86400)])
    course.grade("zoe", score=7)
    report = course.send()
    assert report.outcomes["zoe"] == "failed"
    throttled = message("lms.throttled")
    assert report.lines["zoe"].message == message("lms.wait_too_long", reason=throttled, n=86400)


def test_key_set_that_the_lms_cannot_fetch_fails_the_job(course):
    """If the LMS cannot fetch Kore's key set, the job fails once and says so."""
    course.lms.platform.tool_keys._url = "http://127.0.0.1:9/jwks"
    course.grade(EVERYONE)
    report = course.send()
    assert report.state == "failed"
    assert report.message.id == "lms_refused"
    assert report.message.params["reason"] == message("lms.no_key_set", status=404)


def test_tokens_are_renewed_before_they_expire(tmp_path):
    """A job longer than a token's life continues with a new one."""
    with graded_course(tmp_path) as course:
        slugs = course.fill(30)
        course.assignment("ps1", 10)
        course.grade(dict.fromkeys(slugs, 5))
        # 30 scores, four at a time, take 2.8 s at least; a token is used for half of its life.
        course.lms.behave(token_lifetime_s=4, score_delay_ms=400)
        began = time.monotonic()
        report = course.send()
        took = time.monotonic() - began
        assert {report.outcomes[s] for s in slugs} == {"sent"}
        assert 2 <= len(course.lms.service_requests("token")) <= 2 + took / 2
        assert {r["status"] for r in course.lms.service_requests("score")} == {200}
