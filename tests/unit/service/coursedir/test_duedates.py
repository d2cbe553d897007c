"""Due dates never keep work from being handed in, whatever lies in the gradebook's place."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kore.service.coursedir import gradebook
from kore.service.coursedir.duedates import find_due_dates
from kore.service.coursedir.gradebook import DueDates
from kore.service.services import Services

COURSE = "c-0123456789abcdef"
DUE = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The gradebook of a course with one assignment that is due."""
    root = tmp_path / COURSE / "course"
    root.mkdir(parents=True)
    path = root / "gradebook.db"
    gradebook.create(path, COURSE)
    run(
        path,
        "INSERT INTO assignment (id, name, duedate, course_id) VALUES ('1', 'ps1', ?, ?)",
        *(str(DUE)[:19], COURSE),
    )
    return path


def run(path: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def look_up(path: Path) -> DueDates:
    host = SimpleNamespace(course_root=lambda _: path.parent)
    return find_due_dates(cast(Services, SimpleNamespace(host=host)), COURSE)


def test_a_changed_due_date_is_seen_at_once(path):
    """What is kept is looked up again when the file has changed."""
    assert look_up(path).of("ps1") == DUE
    run(path, "UPDATE assignment SET duedate = ?", "2026-11-26 17:00:00")
    assert look_up(path).of("ps1") == DUE + timedelta(days=1)


def test_a_link_in_the_gradebooks_place_says_nothing(path):
    """Submitting goes on; the other gradebook is not read."""
    other = path.parents[2] / "other.db"
    path.rename(other)
    path.symlink_to(other)
    assert look_up(path) == DueDates()


@pytest.mark.parametrize("value", ["no moment", "2026-99-99 00:00:00", 7, b"bytes"])
def test_a_due_date_that_is_none_says_nothing(path, value):
    """SQLite keeps anything in a column, and the database's library fails on it."""
    run(path, "UPDATE assignment SET duedate = ?", value)
    assert look_up(path) == DueDates()


def test_a_file_that_is_no_gradebook_says_nothing(path):
    """Damaged, a pipe, or not there at all."""
    path.write_bytes(b"no database" * 1000)
    assert look_up(path) == DueDates()
    path.unlink()
    assert look_up(path) == DueDates()
    os.mkfifo(path)
    assert look_up(path) == DueDates()


def test_an_extension_beyond_the_calendar_means_never_due():
    """A teacher who extends for ever does not break the page."""
    dates = DueDates({"ps1": DUE}, {("ps1", "u1"): timedelta(days=10**7)})
    assert dates.of("ps1", "u1") is None
    assert dates.of("ps1", "u2") == DUE
