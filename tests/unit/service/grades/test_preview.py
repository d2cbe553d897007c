"""What a teacher sees before sending."""

from __future__ import annotations

import os

import pytest

from kore.service import grades
from kore.service.errors import KoreError

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
ROLES = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def actions(preview, course):
    slugs = {user: slug for slug, user in course.users.items()}
    return {slugs.get(e.user, e.user): (e.action, e.given, e.reason) for e in preview.entries}


def test_a_preview_of_all_kinds(course):
    """Points, what is held back and why; teachers and observers are not there."""
    course.launch("noam", **{LTI + "roles": [ROLES + "Mentor"]})
    course.assignment("ps2", 4)
    course.grade({"zoe": 7, "noam": 3, "tilda": 10, "stranger": 2, course.course_id: 1})
    course.grade("mila", by_hand=True)
    course.hand_in("niko", "ps1", "2026-01-01 00:00:00 UTC")
    preview = course.preview()
    assert (preview.maximum, preview.assignments) == (10, ["ps1"])
    assert preview.counts == {"send": 1, "unchanged": 0, "held_back": 4}
    assert actions(preview, course) == {
        "zoe": ("send", 7, ""),
        "mila": ("held_back", None, "Waits for grading by hand: ps1."),
        "niko": ("held_back", None, "Collected, but not graded yet: ps1."),
        "layla": ("held_back", None, "No graded work yet."),
        "stranger": (
            "held_back",
            None,
            "Has never come from the LMS, so that it is not known who they are there.",
        ),
    }
    assert preview.last_job is None


def test_after_sending_it_tells_what_was_sent(course):
    """Unchanged is unchanged, with the last score and job."""
    course.grade("zoe", score=7)
    report = course.send()
    preview = course.preview()
    assert preview.last_job == report.id
    entry = next(e for e in preview.entries if e.user == course.users["zoe"])
    assert entry.action == "unchanged"
    assert (entry.last.given, entry.last.maximum, entry.last.state) == (7, 10, "sent")
    course.grade("zoe", score=8)
    assert actions(course.preview(), course)["zoe"] == ("send", 8, "")


def test_new_work_that_is_not_graded_yet_is_held_back(course):
    """A later hand-in makes the old grade out of date until it is graded, too."""
    course.grade("zoe", score=7)
    course.hand_in("zoe", "ps1", "2026-01-01 00:00:00 UTC", graded=True)
    assert actions(course.preview(), course)["zoe"] == ("send", 7, "")
    course.hand_in("zoe", "ps1", "2026-01-02 00:00:00 UTC")
    assert actions(course.preview(), course)["zoe"][0] == "held_back"


def test_folders_that_are_links_are_not_followed(course, tmp_path):
    """Whoever writes into the course's folders cannot make Kore read elsewhere."""
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


def test_a_course_without_a_gradebook_has_nothing_to_send(course):
    """Before the first assignment everyone is held back."""
    (course.root / "gradebook.db").unlink()
    preview = course.preview()
    assert (preview.maximum, preview.counts["held_back"]) == (0, 4)


def test_an_unknown_course_is_a_404(course):
    """A course that is not there has no preview."""
    with pytest.raises(KoreError) as caught:
        grades.preview(course.services, "c-0000000000000000")
    assert caught.value.status == 404
