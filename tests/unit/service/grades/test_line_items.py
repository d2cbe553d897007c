"""The gradebook column: found, created once, and what the LMS must allow."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from ananke.demo.lms.config import SCOPE_LINEITEM, SCOPE_RESULT, SCOPE_SCORE
from ananke.demo.lms.store import LineItem
from kore.service.db.models import Column, Course
from kore.service.errors import Conflict
from kore.shared.messages import message
from tests.support.graded_course import (
    ALL_SENT,
    EVERYONE,
    graded_course,
)

pytestmark = pytest.mark.slow


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


LINK = "https://purl.imsglobal.org/spec/lti/claim/resource_link"


def test_hostile_title_is_a_valid_column_label(tmp_path):
    """A title of quotes, braces, markup and 255 characters is a label like any other."""
    with graded_course(tmp_path, activity="words", students=("zoe",)) as course:
        title = ("{{x}} <script>alert('\"')</script> \u202e/\\ 👩‍🔬 עברית " * 9)[:255]
        course.launch("tilda", **{LINK: {"id": "31", "title": title}})
        course.assignment("ps1", 10)
        course.grade({"zoe": 7})
        assert course.send().outcomes == {"zoe": "sent"}
