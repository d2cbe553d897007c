"""Sending grades to the embedded LMS, when all is well and when it is not."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import select, update

from ananke.demo.lms.config import SCOPE_LINEITEM, SCOPE_RESULT, SCOPE_SCORE
from ananke.demo.lms.store import LineItem
from kore.service import grades, jobs
from kore.service.catalog import render
from kore.service.db.models import Column, Course, Job, JobState, Score, ScoreState, now
from kore.service.errors import Conflict, Invalid
from kore.service.jobs import Runner
from kore.service.lti.client import RetryPolicy
from kore.shared.messages import message
from tests.support.graded_course import HANDLERS, QUICK, counts, graded_course
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

EVERYONE = {"zoe": 7, "mila": 4.5, "niko": 0, "layla": 10}
ON_THE_COLUMN = {"zoe": 70, "mila": 45, "niko": 0, "layla": 100}
ONCE = {slug: (points, 1) for slug, points in ON_THE_COLUMN.items()}
ALL_SENT = dict.fromkeys(EVERYONE, "sent")


def fault(kind, **more):
    return {"kind": kind, **more}


def test_every_score_arrives_with_one_token(any_course):
    """Every total is in the LMS's column, on its scale; one token serves all scores."""
    any_course.grade(EVERYONE)
    report = any_course.send()
    assert (report.state, report.message) == ("done", counts(sent=4))
    assert report.outcomes == ALL_SENT
    assert any_course.held() == ONCE
    assert report.lines["mila"].message == message("grades.points", given=4.5, n=10.0)
    assert report.lines["mila"].detail == {"given": 4.5, "maximum": 10.0}
    assert len(any_course.lms.service_requests("token")) == 1


def test_sending_works_with_every_database(tmp_path, database_url):
    """Sending keeps the same records in SQLite and PostgreSQL."""
    with graded_course(tmp_path, database_url=database_url) as course:
        course.assignment("ps1", 10)
        course.grade(EVERYONE)
        assert course.send().outcomes == ALL_SENT
        assert set(course.send().outcomes.values()) == {"unchanged"}
        assert course.preview().counts == {"send": 0, "unchanged": 4, "held_back": 0}
        assert course.held() == ONCE


def test_missing_column_is_created_once(tmp_path, profile):
    """An activity without a column gets one, named after it, and only one."""
    with graded_course(
        tmp_path, profile=profile, activity="words", students=("zoe", "mila", "layla")
    ) as course:
        course.assignment("ps1", 10)
        course.grade({"zoe": 7})
        course.send()
        course.grade({"mila": 3})
        course.send()
        (column,) = course.lms.gradebook("text")
        assert (column["label"], column["maximum"]) == ("Counting words", 10)
        assert {s: v for s, v in course.held().items() if v[1]} == {"zoe": (7, 1), "mila": (3, 1)}


def test_column_created_before_a_kill_is_found(tmp_path, profile):
    """Kore finds its column by tag and resource id if it did not store the URL."""
    with graded_course(tmp_path, profile=profile, activity="words", students=("zoe",)) as course:
        course.assignment("ps1", 10)
        course.grade({"zoe": 7})
        course.send()
        with course.services.db.session() as session:
            session.delete(session.get_one(Column, (course.course_id, "")))
        course.grade({"zoe": 8})
        assert course.send().outcomes == {"zoe": "sent"}
        assert len(course.lms.gradebook("text")) == 1


def test_deleted_column_is_created_again(tmp_path, profile):
    """After a teacher cleared the gradebook, the next sending creates the column again."""
    with graded_course(tmp_path, profile=profile, activity="words", students=("zoe",)) as course:
        course.assignment("ps1", 10)
        course.grade({"zoe": 7})
        course.send()
        with course.lms.store.write_session() as db:
            for item in db.scalars(select(LineItem).where(LineItem.activity.has(slug="words"))):
                db.delete(item)
        assert course.send(resend=True).outcomes == {"zoe": "sent"}
        assert course.held() == {"zoe": (7, 1)}


def test_only_changes_are_sent(any_course):
    """What the LMS has is not sent again; what changed is, even within the same second."""
    any_course.grade(EVERYONE)
    any_course.send()
    any_course.grade("zoe", score=8)
    report = any_course.send()
    assert report.outcomes == {**dict.fromkeys(EVERYONE, "unchanged"), "zoe": "sent"}
    assert report.message == counts(sent=1, unchanged=3)
    assert any_course.held() == {**ONCE, "zoe": (80, 2)}


def test_resend_sends_all_again(any_course):
    """A teacher who emptied the LMS's column can fill it again."""
    any_course.grade(EVERYONE)
    any_course.send()
    assert any_course.send(resend=True).outcomes == ALL_SENT
    assert any_course.held() == {s: (p, 2) for s, (p, _) in ONCE.items()}


def test_only_selected_students_are_sent(course):
    """Only the selected students are sent and reported; unknown ones are refused."""
    course.grade(EVERYONE)
    assert course.send(only=["zoe"]).outcomes == {"zoe": "sent"}
    assert course.held() == {"zoe": (70, 1)}
    with pytest.raises(Invalid) as caught:
        course.queue(only=["nobody"])
    assert caught.value.message == message("student_unknown", n=1)


def test_held_back_students_are_reported_with_their_reason(course):
    """The report also names the students for whom nothing was sent."""
    course.grade("zoe", score=7)
    course.grade("mila", by_hand=True)
    report = course.send()
    assert report.outcomes == {
        "zoe": "sent",
        "mila": "held_back",
        "niko": "held_back",
        "layla": "held_back",
    }
    assert report.lines["mila"].message == message("grades.needs_manual", assignments=["ps1"])
    assert report.message == counts(sent=1, held_back=3)
    assert course.held() == {"zoe": (70, 1)}


def test_nothing_to_send_needs_no_request(course):
    """A job with nothing to send makes no request to the LMS."""
    assert set(course.send().outcomes.values()) == {"held_back"}
    assert course.lms.service_requests() == []


def test_refused_student_stops_no_one_else(any_course):
    """The LMS's words are in the report, and everyone else's score is in the LMS."""
    any_course.lms.behave(refuse_users=[any_course.lms.claims("mila", "roots")["sub"]])
    any_course.grade(EVERYONE)
    report = any_course.send()
    assert report.outcomes == {**ALL_SENT, "mila": "refused"}
    assert report.state == "done"
    reason = report.lines["mila"].message
    assert reason.id == "lms.refused_person"
    assert reason.params["reason"].id == "lms.refused.said"
    assert "userId" not in reason.params["reason"].params["said"]
    assert any_course.score("mila").state == ScoreState.REFUSED
    assert {s: v for s, v in any_course.held().items() if v[1]} == {
        s: v for s, v in ONCE.items() if s != "mila"
    }


def test_answer_that_is_not_http_stops_no_one_else(course):
    """A user id that crashes the LMS refuses that student alone, and is not repeated."""
    course.lms.api("POST", "users", {"slug": "odd", "sub": "odd@example.edu", "name": "Odd"})
    course.lms.api("PUT", "enrolments", {"user": "odd", "course": "numerics", "role": "student"})
    course.launch("odd")
    course.grade({**EVERYONE, "odd": 5})
    report = course.send()
    assert report.outcomes == {**ALL_SENT, "odd": "refused"}
    assert report.lines["odd"].message == message("lms.not_http")
    assert (
        len([r for r in course.lms.service_requests("score") if r["user"] == "odd@example.edu"])
        == 1
    )


def test_locked_grade_is_refused(any_course):
    """A locked grade refuses that student alone."""
    any_course.lms.api("PUT", "grades", {"activity": "roots", "user": "niko", "locked": True})
    any_course.age_grades()
    any_course.grade(EVERYONE)
    report = any_course.send()
    assert report.outcomes == {**ALL_SENT, "niko": "refused"}
    assert "locked" in render(report.lines["niko"].message)


def test_locked_column_refuses_everyone(any_course):
    """The job is done, and has the LMS's refusal for each student."""
    (column,) = [c for c in any_course.lms.gradebook("numerics") if c["activity"] == "roots"]
    any_course.lms.api("PUT", f"lineitems/{column['id']}", {"locked": True})
    any_course.grade(EVERYONE)
    report = any_course.send()
    assert (report.state, report.message) == ("done", counts(refused=4))


def test_grade_entered_later_in_the_lms_is_kept(course):
    """A grade newer than ours is not overwritten; the report says so."""
    course.lms.api("PUT", "grades", {"activity": "roots", "user": "zoe", "points": 33})
    course.age_grades(-3600)
    course.grade(EVERYONE)
    report = course.send()
    assert report.outcomes == {**ALL_SENT, "zoe": "refused"}
    assert report.lines["zoe"].message == message("lms.newer_score")
    assert course.held()["zoe"][0] == 33


def test_overridden_grade_counts_as_sent(course):
    """Moodle accepts a score for an overridden grade and keeps that; Kore cannot see it."""
    course.lms.api("PUT", "grades", {"activity": "roots", "user": "zoe", "points": 33})
    course.age_grades()
    course.grade(EVERYONE)
    assert course.send().outcomes == ALL_SENT
    assert course.held()["zoe"][0] == 33


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


def test_activity_without_grades_is_refused_before_a_job(course):
    """Without the launch's grade claim no job is queued."""
    with course.services.db.session() as session:
        session.execute(update(Course).values(lineitem=None, lineitems=None))
    with pytest.raises(Conflict) as caught:
        course.queue()
    assert caught.value.code == "grades_off"


@pytest.mark.parametrize("granted", [[SCOPE_LINEITEM], [SCOPE_LINEITEM, SCOPE_RESULT]])
def test_missing_score_scope_fails_the_job(course, granted):
    """A token without the scope for scores fails the job once, not each student."""
    course.lms.behave(granted_scopes=granted)
    course.grade(EVERYONE)
    report = course.send()
    assert (report.state, report.message) == ("failed", message("grades_not_granted"))
    assert course.lms.service_requests("score") == []


def test_score_scope_is_enough_where_the_column_is_known(course):
    """With the score scope alone the launch's column is used unchecked."""
    course.lms.behave(granted_scopes=[SCOPE_SCORE])
    course.grade(EVERYONE)
    assert course.send().outcomes == ALL_SENT
    assert course.lms.service_requests("lineitem") == []


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


def test_timestamps_grow_by_whole_seconds(course):
    """Three changes within one second are three scores that the LMS accepts."""
    stamps = []
    for score in (1, 2, 3):
        course.grade("zoe", score=score)
        assert course.send().outcomes["zoe"] == "sent"
        stamps.append(course.score("zoe").timestamp)
    assert all((b - a).total_seconds() >= 1 for a, b in itertools.pairwise(stamps))
    assert course.held()["zoe"] == (30, 3)


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
                wait_until(partial(is_done, course, job))
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
        wait_until(lambda: course.report(second).state == "done")
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
            wait_until(lambda: course.report(job_id).state == "done")
        assert course.report(job_id).message == counts(sent=24)
        assert {course.held()[s] for s in slugs} == {(50, 1)}


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("readable", [True, False])
def test_score_in_doubt_is_resolved(tmp_path, arrived, readable):
    """After a kill, a score that the LMS has is not sent twice; one that it lacks is repeated."""
    with graded_course(tmp_path) as course:
        course.assignment("ps1", 10)
        course.grade(EVERYONE)
        if arrived:
            course.send()
        if not readable:
            course.lms.behave(granted_scopes=[SCOPE_LINEITEM, SCOPE_SCORE])
        job_id = course.queue()
        stamp = course.score("zoe").timestamp if arrived else now().replace(microsecond=5000)
        in_doubt(course, job_id, "zoe", 7, stamp)
        course.work()
        assert course.report(job_id).outcomes["zoe"] == "sent"
        assert course.held() == ONCE
        assert course.score("zoe").timestamp == stamp


def test_score_in_doubt_with_a_changed_grade_sends_the_new_one(course):
    """After a kill the current grade is sent, with a later timestamp than the one in doubt."""
    course.grade({"zoe": 8})
    job_id = course.queue()
    stamp = now().replace(microsecond=0)
    in_doubt(course, job_id, "zoe", 7, stamp)
    course.work()
    assert course.held() == {"zoe": (80, 1)}
    assert (course.score("zoe").timestamp - stamp).total_seconds() >= 1


def test_score_in_doubt_that_is_held_back_now(course):
    """After a kill nothing more is sent for a student who is held back now."""
    course.grade({"zoe": 8})
    course.send()
    stamp = course.score("zoe").timestamp
    course.grade("zoe", by_hand=True)
    job_id = course.queue()
    in_doubt(course, job_id, "zoe", 8, stamp)
    course.work()
    assert course.report(job_id).outcomes["zoe"] == "held_back"
    assert (course.score("zoe").state, course.score("zoe").given) == ("sent", 8)
    assert course.held()["zoe"] == (80, 1)


def test_grade_entered_after_a_kill_is_not_taken_for_ours(course):
    """A repeated score that is refused for another, newer grade counts as refused."""
    course.grade({"zoe": 7})
    job_id = course.queue()
    in_doubt(course, job_id, "zoe", 7, now().replace(microsecond=0))
    course.lms.api(
        "PUT", "grades", {"activity": "roots", "user": "zoe", "points": 33, "overridden": False}
    )
    course.age_grades(-3600)
    course.work()
    assert course.report(job_id).outcomes["zoe"] == "refused"
    assert course.held()["zoe"][0] == 33


def test_repeated_attempt_sends_no_score_twice(course):
    """A job resumed at its very end sends nothing again, and its report is complete."""
    course.grade(EVERYONE)
    report = course.send(resend=True)
    with course.services.db.session() as session:
        session.execute(
            update(Job).values(state=JobState.QUEUED, ended_at=None, owner=None, done=0)
        )
    course.work()
    again = course.report(report.id)
    assert (again.state, again.outcomes) == ("done", ALL_SENT)
    assert course.held() == ONCE


def test_hostile_title_is_a_valid_column_label(tmp_path):
    """A title of quotes, braces, markup and 255 characters is a label like any other."""
    with graded_course(tmp_path, activity="words", students=("zoe",)) as course:
        title = ("{{x}} <script>alert('\"')</script> \u202e/\\ 👩‍🔬 עברית " * 9)[:255]
        course.launch("tilda", **{LINK: {"id": "31", "title": title}})
        course.assignment("ps1", 10)
        course.grade({"zoe": 7})
        assert course.send().outcomes == {"zoe": "sent"}


LINK = "https://purl.imsglobal.org/spec/lti/claim/resource_link"


def test_what_is_sent_equals_the_preview(course):
    """Sending sends the points that the preview showed."""
    course.grade({"zoe": 7, "mila": 3.333333})
    preview = grades.preview(course.services, course.course_id)
    course.send()
    for entry in preview.entries:
        if entry.action == "send":
            assert entry.given is not None
            slug = next(s for s, u in course.users.items() if u == entry.user)
            assert course.score(slug).given == entry.given
            assert course.held()[slug][0] == pytest.approx(entry.given * 10, abs=1e-4)


def in_doubt(course, job_id, slug, given, stamp):
    """Store what a killed job leaves: a score that the LMS may have."""
    with course.services.db.session() as session:
        session.merge(
            Score(
                course_id=course.course_id,
                assignment="",
                user=course.users[slug],
                given=given,
                maximum=10,
                timestamp=stamp,
                state=ScoreState.SENDING,
                message=None,
                job_id=job_id,
            )
        )


def is_done(course, job):
    return course.report(job).state == "done"


@contextmanager
def working(course, threads):
    """Work on jobs in threads, as Kore does."""
    runner = Runner(course.services, HANDLERS, threads=threads)
    runner.start()
    yield
    runner.stop()
