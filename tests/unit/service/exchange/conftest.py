from __future__ import annotations

import pytest

from tests.support.course import ExchangeCourse
from tests.support.databases import database_url, postgres_url
from tests.support.kore import make_kore

__all__ = ["database_url", "postgres_url"]


@pytest.fixture
def exchange(tmp_path, database_url):
    """A course with a teacher, two students and a released assignment, on every database."""
    with make_kore(tmp_path, database_url=database_url) as kore:
        yield ExchangeCourse(kore)
