"""Courses' folders as Kore finds them in a container, where the hub makes them."""

from __future__ import annotations

import pytest

from kore.host import HostError, open_course_folders

COURSE = "c-0123456789abcdef"


@pytest.fixture
def kore_side(tmp_path):
    return open_course_folders(
        homes=tmp_path / "home", exchange=tmp_path / "exchange", kind="container"
    )


def test_kore_makes_no_course_itself(kore_side, tmp_path):
    """Where the hub did not make a course's folder, Kore says so in words, and makes nothing."""
    with pytest.raises(HostError, match="the hub creates it"):
        kore_side.prepare_course(COURSE)
    assert not (tmp_path / "home").exists()


def test_kore_takes_a_course_that_is_there(kore_side):
    """What the hub made is used as it is."""
    root = kore_side.course_root(COURSE)
    root.mkdir(parents=True)
    assert kore_side.prepare_course(COURSE) == root


@pytest.mark.parametrize("name", ["../etc", "c-x", "root", "", "u/../x"])
def test_only_people_and_courses_have_homes(kore_side, name):
    """A name that is neither never becomes a path."""
    with pytest.raises(HostError):
        kore_side.home(name)


def test_a_removed_course_must_be_gone(kore_side):
    """Kore cannot remove a home itself: it checks that the hub did, and says so if not."""
    kore_side.remove_course(COURSE)
    kore_side.course_root(COURSE).mkdir(parents=True)
    with pytest.raises(HostError, match="still exists"):
        kore_side.remove_course(COURSE)
