from __future__ import annotations

import pytest

from kore.service.exchange import assignments
from tests.support.course import ExchangeCourse
from tests.support.databases import database_url, postgres_url
from tests.support.file_exchange import make_file_exchange
from tests.support.kore import make_kore

__all__ = ["database_url", "postgres_url"]


@pytest.fixture
def exchange(tmp_path, database_url):
    """A course with a teacher, two students and a released assignment, on every database."""
    with make_kore(tmp_path, database_url=database_url) as kore:
        yield ExchangeCourse(kore)


@pytest.fixture
def here(tmp_path):
    """A course in which nothing is released yet."""
    with make_kore(tmp_path / "state") as kore:
        exchange = ExchangeCourse(kore)
        assignments.withdraw_assignment(exchange.services, exchange.course, "ps1", by="u1")
        yield exchange


@pytest.fixture
def folder(here, tmp_path):
    """The course's folder of a file exchange: one release, three submissions, feedback."""
    return make_file_exchange(tmp_path / "old", here.course)
