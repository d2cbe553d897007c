"""What a teacher sees before sending."""

from __future__ import annotations

import os

import pytest

from kore.service import grades
from kore.service.errors import NotFound

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def actions(preview, course):
    """Return action, points and the reason's id, by slug."""
    slugs = {user: slug for slug, user in course.users.items()}
    return {
        slugs.get(e.user, e.user): (e.action, e.given, e.reason and e.reason.code)
        for e in preview.entries
    }


def test_preview_has_points_or_a_reason_for_each_student(course):
    """Each student has points or a reason; teachers and observers are left out."""
    course.launch("noam", **{LTI + "roles": [ROLES + "Mentor"]})
    course.assignment("ps2", 4)
    course.grade({"zoe": 7, "noam": 3, "tilda": 10, "stranger": 2, course.course_id: 1})
    course.grade("mila", by_hand=True)
    course.hand_in("niko", "ps1", "2026-01-01 00:00:00 UTC")
    preview = course.preview()
    assert (preview.maximum, preview.assignments) == (10, ["ps1"])
    assert preview.counts == {"send": 1, "unchanged": 0, "held_back": 4}
    assert actions(preview, course) == {
        "zoe": ("send", 7, None),
        "mila": ("held_back", None, "grades.needs_manual"),
        "niko": ("held_back", None, "grades.not_graded"),
        "layla": ("held_back", None, "grades.no_graded_work"),
        "stranger": ("held_back", None, "grades.no_lms_id"),
    }
    (mila,) = [e.reason for e in preview.entries if e.user == course.users["mila"]]
    assert mila.params == {"assignments": ["ps1"]}
    assert preview.last_job is None


def test_preview_after_sending_has_the_last_score(course):
    """What was sent is unchanged, with the last score and job, until the grade changes."""
    course.grade("zoe", score=7)
    report = course.send()
    preview = course.preview()
    assert preview.last_job == report.id
    entry = next(e for e in preview.entries if e.user == course.users["zoe"])
    assert entry.action == "unchanged"
    assert (entry.last.given, entry.last.maximum, entry.last.state) == (7, 10, "sent")
    course.grade("zoe", score=8)
    assert actions(course.preview(), course)["zoe"] == ("send", 8, None)


def test_newer_submission_holds_the_grade_back(course):
    """A later submission holds the old grade back until it is graded, too."""
    course.grade("zoe", score=7)
    course.hand_in("zoe", "ps1", "2026-01-01 00:00:00 UTC", graded=True)
    assert actions(course.preview(), course)["zoe"] == ("send", 7, None)
    course.hand_in("zoe", "ps1", "2026-01-02 00:00:00 UTC")
    assert actions(course.preview(), course)["zoe"][0] == "held_back"


def test_links_in_the_course_directory_are_not_followed(course, tmp_path):
    """A link or a pipe in the course directory cannot make Kore read elsewhere, or hang."""
    course.grade({"zoe": 7, "mila": 7})
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "ps1").mkdir(parents=True)
    (course.root / "submitted").mkdir()
    (course.root / "submitted" / course.users["zoe"]).symlink_to(elsewhere)
    course.hand_in("mila", "ps1", "t", graded=True)
    stamp = course.root / "submitted" / course.users["mila"] / "ps1" / "timestamp.txt"
    stamp.unlink()
    os.mkfifo(stamp)
    assert actions(course.preview(), course)["zoe"][0] == "send"
    assert actions(course.preview(), course)["mila"][0] == "send"


def test_course_without_a_gradebook_holds_everyone_back(course):
    """Before the first assignment there is nothing to send."""
    (course.root / "gradebook.db").unlink()
    preview = course.preview()
    assert (preview.maximum, preview.counts["held_back"]) == (0, 4)


def test_unknown_course_is_not_found(course):
    """A course that does not exist has no preview."""
    with pytest.raises(NotFound):
        grades.preview(course.services, "c-0000000000000000")
