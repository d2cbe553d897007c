"""A gradebook that a course's account replaced with a link is neither read nor changed."""

from __future__ import annotations

import pytest

from kore.service.coursedir import gradebook
from kore.service.errors import KoreError

MINE, OTHER = "c-0123456789abcdef", "c-fedcba9876543210"
STUDENT = gradebook.StudentRecord("u1", "Ada", "Example", "ada@example.org", "1")
ACTIONS = {
    "create": lambda path, _: gradebook.create(path, MINE),
    "assignments": lambda path, _: gradebook.list_assignments(path, MINE),
    "due dates": lambda path, _: gradebook.read_due_dates(path, MINE),
    "points": lambda path, _: gradebook.list_graded(path, MINE),
    "enrol": lambda path, _: gradebook.enrol(path, MINE, [STUDENT]),
    "snapshot": lambda path, tmp: gradebook.snapshot(path, tmp / "copy", lambda: None),
}


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize("planted", ["file", "folder", "home"])
def test_another_gradebook_is_neither_read_nor_changed(tmp_path, planted, action):
    """A link for the file, for the course's folder, or for the home: refused."""
    mine, other = tmp_path / "homes" / MINE, tmp_path / "homes" / OTHER
    (other / "course").mkdir(parents=True)
    gradebook.create(other / "course" / "gradebook.db", OTHER)
    before = (other / "course" / "gradebook.db").read_bytes()
    if planted == "home":
        mine.symlink_to(other)
    elif planted == "folder":
        mine.mkdir()
        (mine / "course").symlink_to(other / "course")
    else:
        (mine / "course").mkdir(parents=True)
        (mine / "course" / "gradebook.db").symlink_to(other / "course" / "gradebook.db")
    with pytest.raises(KoreError) as refused:
        ACTIONS[action](mine / "course" / "gradebook.db", tmp_path)
    assert refused.value.message.id == "special_file"
    assert (other / "course" / "gradebook.db").read_bytes() == before


def test_homes_may_lie_behind_a_link(tmp_path):
    """What the administrator linked, above the homes, is not a trick."""
    (tmp_path / "disk" / MINE / "course").mkdir(parents=True)
    (tmp_path / "homes").symlink_to(tmp_path / "disk")
    path = tmp_path / "homes" / MINE / "course" / "gradebook.db"
    gradebook.create(path, MINE)
    gradebook.enrol(path, MINE, [STUDENT])
    assert gradebook.list_assignments(path, MINE) == []
