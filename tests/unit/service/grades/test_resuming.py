"""Scores in doubt after a kill: what the next attempt makes of them."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from ananke.demo.lms.config import SCOPE_LINEITEM, SCOPE_SCORE
from kore.service.db.models import Job, JobState, Score, ScoreState, now
from tests.support.graded_course import (
    ALL_SENT,
    EVERYONE,
    ONCE,
    graded_course,
)

pytestmark = pytest.mark.slow


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
