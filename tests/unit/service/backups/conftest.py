from __future__ import annotations

import pytest

from tests.support.course import FullCourse
from tests.support.databases import database_url, postgres_url
from tests.support.kore import make_kore

__all__ = ["database_url", "postgres_url"]


@pytest.fixture
def course(tmp_path, database_url):
    """A course with everything in it, on every database."""
    with make_kore(tmp_path, database_url=database_url) as kore:
        yield FullCourse(kore)


@pytest.fixture
def here(tmp_path):
    """A course with everything in it."""
    with make_kore(tmp_path) as kore:
        yield FullCourse(kore)
