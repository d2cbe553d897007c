"""Sending grades to the embedded LMS: what arrives, what is refused."""

from __future__ import annotations

import itertools

import pytest

from kore.service import grades
from kore.service.catalog import render
from kore.service.db.models import ScoreState
from kore.service.errors import Invalid
from kore.shared.messages import message
from tests.support.graded_course import (
    ALL_SENT,
    EVERYONE,
    ONCE,
    counts,
    graded_course,
)

pytestmark = pytest.mark.slow


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


def test_timestamps_grow_by_whole_seconds(course):
    """Three changes within one second are three scores that the LMS accepts."""
    stamps = []
    for score in (1, 2, 3):
        course.grade("zoe", score=score)
        assert course.send().outcomes["zoe"] == "sent"
        stamps.append(course.score("zoe").timestamp)
    assert all((b - a).total_seconds() >= 1 for a, b in itertools.pairwise(stamps))
    assert course.held()["zoe"] == (30, 3)


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
