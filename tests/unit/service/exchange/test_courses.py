"""A course's part of the exchange as a whole: forgotten, taken along, brought back."""

from __future__ import annotations

import json
import shutil

import pytest
from sqlalchemy import delete

from kore.service.db.models import Course
from kore.service.errors import KoreError
from kore.service.exchange import (
    export_course,
    forget_course,
    import_course,
    submissions,
)
from tests.support.handin import Exchange

pytestmark = pytest.mark.slow


def state(exchange: Exchange) -> list:
    return [one.model_dump(exclude={"late"}) for one in exchange.listed()]


@pytest.fixture
def backup(exchange: Exchange, tmp_path):
    """A backup of two submissions, one with feedback, and the release."""
    one = exchange.submit("u2", key="k")
    exchange.submit("u3")
    exchange.feedback(one)
    folder = tmp_path / "backup"
    folder.mkdir()
    assert export_course(exchange.services, exchange.course, folder) == 4
    return folder


def test_a_backup_comes_back_as_it_was(exchange: Exchange, backup):
    """What was lost, changed or new since the backup is as the backup has it, ids and all."""
    before = state(exchange)
    exchange.submit("u2", files={"a": b"later"})
    exchange.release("ps2")
    assert import_course(exchange.services, exchange.course, backup) == 4
    assert state(exchange) == before
    assert len(exchange.files()) == 4
    again = exchange.submit("u2", key="k")
    assert again.id == before[0]["id"]


def test_a_backup_comes_back_after_all_was_forgotten(exchange: Exchange, backup):
    """Forgetting removes rows and files; the backup brings them back; both may be repeated."""
    before = state(exchange)
    for _ in range(2):
        forget_course(exchange.services, exchange.course)
        assert exchange.files() == []
        assert exchange.listed() == []
    for _ in range(2):
        import_course(exchange.services, exchange.course, backup)
        assert state(exchange) == before


def test_a_backup_in_another_course_gets_ids_of_its_own(exchange: Exchange, backup):
    """A copy beside the original takes nothing from it."""
    before = state(exchange)
    other, _ = exchange.kore.launch("1", "Instructor", link="other")
    import_course(exchange.services, other, backup)
    assert state(exchange) == before
    copied = submissions.listed(exchange.services, other)
    assert len(copied) == 2
    assert {one.id for one in copied}.isdisjoint(one["id"] for one in before)


@pytest.mark.parametrize(
    "damage", ["cut", "missing", "changed", "json", "no index", "name", "twice", "same id", "path"]
)
def test_a_damaged_backup_changes_nothing(exchange: Exchange, backup, damage):
    """Whatever is wrong with a backup is told, and the course stays as it is."""
    before, files = state(exchange), exchange.files()
    index = backup / "index.json"
    told = json.loads(index.read_text())
    archive = backup / f"{told['submissions'][1]['blob']}.tar"
    if damage == "cut":
        archive.write_bytes(archive.read_bytes()[:700])
    elif damage == "missing":
        archive.unlink()
    elif damage == "changed":
        shutil.copy(backup / f"{told['handouts'][0]['blob']}.tar", archive)
    elif damage == "json":
        index.write_text("{")
    elif damage == "no index":
        index.unlink()
    elif damage == "name":
        told["submissions"][0]["user"] = "../../u2"
    elif damage == "twice":
        told["submissions"][1] = told["submissions"][0]
    elif damage == "same id":
        told["submissions"][1]["id"] = told["submissions"][0]["id"]
    elif damage == "path":
        told["submissions"][0]["blob"] = "../" * 10 + "etc/passwd"
    if index.exists() and damage != "json":
        index.write_text(json.dumps(told))
    with pytest.raises(KoreError):
        import_course(exchange.services, exchange.course, backup)
    assert state(exchange) == before
    assert exchange.files() == files


def test_forgetting_a_course_that_is_gone(exchange: Exchange, backup):
    """Forgetting a course that is gone is no error; a backup does not bring it back."""
    with exchange.services.db.session() as session:
        session.execute(delete(Course).where(Course.id == exchange.course))
    forget_course(exchange.services, exchange.course)
    assert exchange.listed() == []
    with pytest.raises(KoreError) as caught:
        import_course(exchange.services, exchange.course, backup)
    assert caught.value.code == "course_unknown"


def test_a_backup_while_work_comes_in_and_goes(exchange: Exchange, tmp_path, monkeypatch):
    """A release that is replaced during the backup is in it as it was."""
    copy = shutil.copyfileobj
    done = []

    def replace(*arguments) -> None:
        if not done:
            done.append(True)
            exchange.release("ps1", {"new": b"1"})
        copy(*arguments)

    folder = tmp_path / "b"
    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", replace)
        assert export_course(exchange.services, exchange.course, folder) == 1
    assert import_course(exchange.services, exchange.course, folder) == 1
