"""Which work waits to be collected or graded, by what lies in a course's folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kore.service.coursedir.gradebook import GradedSubmission
from kore.service.coursedir.progress import (
    find_uncollected,
    find_ungraded,
    list_collected,
)

CAME = datetime(2026, 11, 25, 17, 4, 5, 678900, UTC)


def lay(root: Path, folder: str, stamp: str | None) -> None:
    """Lay down one student's work in ``submitted`` or ``autograded``."""
    place = root / folder / "u1" / "ps1"
    place.mkdir(parents=True, exist_ok=True)
    if stamp is not None:
        (place / "timestamp.txt").write_text(stamp)


def graded(*students: str) -> list[GradedSubmission]:
    """What the gradebook holds of students who were graded."""
    return [GradedSubmission(student, "ps1", 1, 2, 0, False) for student in students]


@pytest.mark.parametrize(
    ("stamp", "waits"),
    [
        ("2026-11-25 17h04m05.678900s UTC", False),
        # A course may have its stamps otherwise; a zone counts.
        ("2026-11-25 17:04:05.678900 UTC", False),
        ("2026-11-25 18:04:05.678900 +0100", False),
        ("2026-11-25 17h04m04.000000s UTC", True),
        ("2026-11-26 09h00m00.000000s UTC", False),
        # Whole seconds are all that such a stamp can say.
        ("2026-11-25 17:04:05 UTC", False),
        ("2026-11-25 17:04:04 UTC", True),
        ("2026-11-25 12:04:05.678900 EST", False),
        ("2026-11-25 13:04:05.678900 -0400", False),
        ("yesterday, I think", True),
        ("9999-99-99 00:00:00 UTC", True),
        ("", True),
        (None, True),
    ],
)
def test_work_waits_for_collection_until_its_own_stamp_is_there(tmp_path, stamp, waits):
    """Later than what was collected: it waits; what no one can read counts as nothing."""
    lay(tmp_path, "submitted", stamp)
    found = find_uncollected(tmp_path, {("u1", "ps1"): CAME})
    assert found == ({"u1": {"ps1"}} if waits else {})


@pytest.mark.parametrize("zone", ["{path}", "../x", "/etc/passwd", "UTC/../UTC", "\0", "1e9"])
def test_a_stamp_names_no_file(tmp_path, zone):
    """nbgrader's parser looks for zones among files: what is no zone says no more than nothing."""
    zone = zone.format(path=tmp_path / "there")
    (tmp_path / "there").write_bytes(b"TZif2")
    lay(tmp_path, "submitted", f"9999-01-01 00:00:00 {zone}")
    assert find_uncollected(tmp_path, {("u1", "ps1"): CAME}) == {"u1": {"ps1"}}


def test_work_that_was_never_collected_waits(tmp_path):
    """There is no folder of the student's yet, and none at all."""
    moments = {("u1", "ps1"): CAME, ("u1", "ps2"): CAME, ("u2", "ps1"): CAME}
    assert find_uncollected(tmp_path, moments) == {"u1": {"ps1", "ps2"}, "u2": {"ps1"}}


def test_collected_work_waits_until_just_that_is_graded(tmp_path):
    """Never graded; not to the end; graded; submitted and collected again since."""
    lay(tmp_path, "submitted", "one")
    assert find_ungraded(tmp_path, []) == {"u1": {"ps1"}}
    # nbgrader noted it, and failed.
    assert find_ungraded(tmp_path, graded("u1")) == {"u1": {"ps1"}}
    lay(tmp_path, "autograded", "one")
    assert find_ungraded(tmp_path, graded("u1")) == {}
    lay(tmp_path, "submitted", "two")
    assert find_ungraded(tmp_path, graded("u1")) == {"u1": {"ps1"}}


def test_a_stamp_that_is_a_link_is_not_followed(tmp_path):
    """A course's account cannot have Kore read another file for it."""
    lay(tmp_path, "submitted", None)
    secret = tmp_path / "secret"
    secret.write_text((CAME + timedelta(days=1)).isoformat())
    (tmp_path / "submitted/u1/ps1/timestamp.txt").symlink_to(secret)
    assert find_uncollected(tmp_path, {("u1", "ps1"): CAME}) == {"u1": {"ps1"}}


def test_a_student_who_is_a_link_is_not_followed(tmp_path):
    """Neither what was collected nor what was graded elsewhere speaks for this course."""
    other = tmp_path / "other"
    lay(other, "submitted", "2026-11-26 09h00m00.000000s UTC")
    lay(other, "autograded", "one")
    for stage in ("submitted", "autograded"):
        (tmp_path / stage).mkdir()
    (tmp_path / "submitted/u1").symlink_to(other / "submitted/u1")
    assert find_uncollected(tmp_path, {("u1", "ps1"): CAME}) == {"u1": {"ps1"}}
    (tmp_path / "submitted/u1").unlink()
    lay(tmp_path, "submitted", "one")
    (tmp_path / "autograded/u1").symlink_to(other / "autograded/u1")
    assert find_ungraded(tmp_path, graded("u1")) == {"u1": {"ps1"}}


@pytest.mark.parametrize("linked", ["submitted", "autograded"])
def test_a_stage_that_is_a_link_is_not_followed(tmp_path, linked):
    """A course's account that links a whole stage elsewhere learns nothing of what is there."""
    root, other = tmp_path / "course", tmp_path / "other"
    for stage in ("submitted", "autograded"):
        lay(root if stage != linked else other, stage, "one")
    (root / linked).symlink_to(other / linked)
    if linked == "submitted":
        assert list_collected(root) == {}
        assert find_ungraded(root, []) == {}
        assert find_uncollected(root, {("u1", "ps1"): CAME}) == {"u1": {"ps1"}}
    else:
        assert find_ungraded(root, graded("u1")) == {"u1": {"ps1"}}


def test_a_course_without_a_folder_has_no_work(tmp_path):
    """Before its first set-up everything that was handed in waits, and nothing else."""
    root = tmp_path / "missing"
    assert list_collected(root) == {}
    assert find_ungraded(root, graded("u1")) == {}
    assert find_uncollected(root, {("u1", "ps1"): CAME}) == {"u1": {"ps1"}}
