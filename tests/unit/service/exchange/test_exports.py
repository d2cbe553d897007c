"""A course's part of the exchange as a whole: deleted, exported, and imported again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete

from kore.service.db.models import Course
from kore.service.errors import Invalid, NotFound
from kore.service.exchange import submissions
from kore.service.exchange.exports import (
    INDEX,
    check_export,
    delete_course_archives,
    exporting_course,
    import_course,
)
from tests.support.course import ExchangeCourse

pytestmark = pytest.mark.slow


def state(exchange: ExchangeCourse) -> list:
    return [one.model_dump(exclude={"late"}) for one in exchange.listed()]


def export(exchange: ExchangeCourse, folder: Path) -> int:
    """Write a course's part into a new folder; return how many archives."""
    folder.mkdir()
    with exporting_course(exchange.services, exchange.course) as (text, archives):
        for path in archives:
            shutil.copy(path, folder / path.name)
    (folder / INDEX).write_bytes(text)
    return len(archives)


@pytest.fixture
def exported(exchange: ExchangeCourse, tmp_path):
    """An export of two submissions, one with feedback, and the release."""
    one = exchange.submit("u2", key="k")
    exchange.submit("u3")
    exchange.feedback(one)
    folder = tmp_path / "backup"
    assert export(exchange, folder) == 4
    return folder


def test_an_export_comes_back_as_it_was(exchange: ExchangeCourse, exported):
    """What was lost, changed or new since the export is as the export has it, ids and all."""
    before = state(exchange)
    exchange.submit("u2", files={"a": b"later"})
    exchange.release("ps2")
    check_export(exported)
    assert import_course(exchange.services, exchange.course, exported) == 4
    assert state(exchange) == before
    assert len(exchange.files()) == 4
    again = exchange.submit("u2", key="k")
    assert again.id == before[0]["id"]


def test_an_export_comes_back_after_all_was_deleted(exchange: ExchangeCourse, exported):
    """Deleting removes rows and files; importing brings them back; both may be repeated."""
    before = state(exchange)
    for _ in range(2):
        delete_course_archives(exchange.services, exchange.course)
        assert exchange.files() == []
        assert exchange.listed() == []
    for _ in range(2):
        import_course(exchange.services, exchange.course, exported)
        assert state(exchange) == before


def test_an_export_in_another_course_gets_ids_of_its_own(exchange: ExchangeCourse, exported):
    """A copy next to the original takes nothing from it."""
    before = state(exchange)
    other, _ = exchange.kore.launch("1", "Instructor", link="other")
    import_course(exchange.services, other, exported)
    assert state(exchange) == before
    copied = submissions.list_submissions(exchange.services, other)
    assert len(copied) == 2
    assert {one.id for one in copied}.isdisjoint(one["id"] for one in before)


@pytest.mark.parametrize(
    "damage", ["cut", "missing", "changed", "json", "no index", "name", "twice", "same id", "path"]
)
def test_a_damaged_export_changes_nothing(exchange: ExchangeCourse, exported, damage):
    """Whatever is wrong with an export is refused, and the course stays as it is."""
    before, files = state(exchange), exchange.files()
    index = exported / INDEX
    data = json.loads(index.read_text())
    archive = exported / f"{data['submissions'][1]['blob']}.tar"
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:700])
    elif damage == "missing":
        archive.unlink()
    elif damage == "changed":
        shutil.copy(exported / f"{data['handouts'][0]['blob']}.tar", archive)
    elif damage == "json":
        index.write_text("{")
    elif damage == "no index":
        index.unlink()
    elif damage == "name":
        data["submissions"][0]["user"] = "../../u2"
    elif damage == "twice":
        data["submissions"][1] = data["submissions"][0]
    elif damage == "same id":
        data["submissions"][1]["id"] = data["submissions"][0]["id"]
    elif damage == "path":
        data["submissions"][0]["blob"] = "../" * 10 + "etc/passwd"
    if index.exists() and damage != "json":
        index.write_text(json.dumps(data))
    for use in (
        lambda: check_export(exported),
        lambda: import_course(exchange.services, exchange.course, exported),
    ):
        with pytest.raises(Invalid):
            use()
    assert state(exchange) == before
    assert exchange.files() == files


def test_deleting_the_archives_of_a_course_that_is_gone(exchange: ExchangeCourse, exported):
    """Deleting what is gone is no error; an import does not bring the course back."""
    with exchange.services.db.session() as session:
        session.execute(delete(Course).where(Course.id == exchange.course))
    delete_course_archives(exchange.services, exchange.course)
    assert exchange.listed() == []
    with pytest.raises(NotFound) as caught:
        import_course(exchange.services, exchange.course, exported)
    assert caught.value.code == "course_unknown"


def test_an_export_while_work_comes_in_and_goes(exchange: ExchangeCourse):
    """A release that is replaced during the export is in it as it was."""
    with exporting_course(exchange.services, exchange.course) as (_, archives):
        [archive] = archives
        before = archive.stat().st_ino
        exchange.release("ps1", {"new": b"1"})
        assert archive.stat().st_ino == before
        assert archive.read_bytes()
