"""Courses' folders in a container, where the hub makes them and Kore finds them."""

from __future__ import annotations

import pytest

from kore.host import HostError, open_course_folders

COURSE = "c-0123456789abcdef"


@pytest.fixture
def kore_side(tmp_path):
    return open_course_folders(
        homes=tmp_path / "home", exchange=tmp_path / "exchange", kind="container"
    )


def test_a_missing_course_is_reported(kore_side, tmp_path):
    """If the hub did not make a course's folder, Kore says so and makes nothing."""
    with pytest.raises(HostError, match="the hub creates it"):
        kore_side.prepare_course(COURSE)
    assert not (tmp_path / "home").exists()


def test_an_existing_course_is_used(kore_side):
    """A folder that the hub made is used as it is."""
    root = kore_side.course_root(COURSE)
    root.mkdir(parents=True)
    assert kore_side.prepare_course(COURSE) == root


@pytest.mark.parametrize("name", ["../etc", "c-x", "root", "", "u/../x"])
def test_only_people_and_courses_have_homes(kore_side, name):
    """Any other name is refused before it becomes a path."""
    with pytest.raises(HostError):
        kore_side.home(name)


def test_a_removed_course_must_be_gone(kore_side):
    """Kore cannot remove a home itself: it checks that the hub did, and says so if not."""
    kore_side.remove_course(COURSE)
    kore_side.course_root(COURSE).mkdir(parents=True)
    with pytest.raises(HostError, match="still exists"):
        kore_side.remove_course(COURSE)
