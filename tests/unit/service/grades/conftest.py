from __future__ import annotations

import pytest

from tests.support.databases import database_url, postgres_url
from tests.support.graded_course import graded_course

__all__ = ["database_url", "postgres_url"]


@pytest.fixture(params=["moodle", "canvas", "strict"])
def profile(request):
    return request.param


@pytest.fixture
def course(tmp_path):
    """A course in a Moodle-like LMS, with an assignment of ten points."""
    with graded_course(tmp_path) as it:
        it.assignment("ps1", 10)
        yield it


@pytest.fixture
def any_course(tmp_path, profile):
    """The same in each of the three profiles."""
    with graded_course(tmp_path, profile=profile) as it:
        it.assignment("ps1", 10)
        yield it
