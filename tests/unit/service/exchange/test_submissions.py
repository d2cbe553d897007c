"""Submissions: whole or not at all, one for each time that work is submitted."""

from __future__ import annotations

import resource
from datetime import timedelta

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import event

from kore.service.coursedir import gradebook
from kore.service.db.models import now
from kore.service.errors import DiskFull, KoreError
from kore.service.exchange import assignments, submissions
from tests.support.archives import tar_of
from tests.support.course import ExchangeCourse, pieces
from tests.support.threads import run_at_once


def test_a_double_click_is_one_submission(exchange: ExchangeCourse):
    """The same request many times at once is one row and one file."""
    found = run_at_once(6, lambda _: exchange.submit(key="click"))
    assert len({one.id for one in found}) == 1
    assert len(exchange.listed()) == 1
    assert len(exchange.files()) == 2


def test_equal_work_within_a_minute_is_one_submission(exchange: ExchangeCourse):
    """Clients that make a new key for each click end with one submission too."""
    found = run_at_once(6, lambda index: exchange.submit(key=f"click-{index}"))
    assert len({one.id for one in found}) == 1
    assert len(exchange.files()) == 2


def test_all_of_a_persons_submissions_are_kept(exchange: ExchangeCourse):
    """Other work, equal work later on, and the work of others are separate submissions."""
    began = now()
    first = exchange.submit(files={"a": b"1"}, began=began - timedelta(seconds=50))
    second = exchange.submit(files={"a": b"2"}, began=began - timedelta(seconds=40))
    third = exchange.submit(files={"a": b"1"}, began=began)
    exchange.submit("u3", files={"a": b"1"})
    assert len({first.id, second.id, third.id}) == 3
    assert [one.id for one in exchange.listed(user="u2")] == [first.id, second.id, third.id]
    assert len(exchange.listed(assignment="ps1")) == 4
    assert exchange.listed(assignment="ps2") == []


def test_a_reused_key_for_other_work_is_refused(exchange: ExchangeCourse):
    """New work is not silently thrown away because its key was used before."""
    first = exchange.submit(files={"a": b"1"}, key="k")
    with pytest.raises(KoreError) as caught:
        exchange.submit(files={"a": b"2"}, key="k")
    assert caught.value.code == "key_reused"
    assert exchange.submit(files={"a": b"1"}, key="k").id == first.id
    assert exchange.submit("u3", files={"a": b"2"}, key="k").id != first.id
    assert len(exchange.files()) == 3


def test_late_follows_the_gradebook(exchange: ExchangeCourse):
    """The mark follows the due date, and a student's own extension."""
    path = exchange.services.host.prepare_course(exchange.course) / "gradebook.db"
    gradebook.create(path, exchange.course)
    one, other = exchange.submit("u2"), exchange.submit("u3")
    assert not one.late
    due = now() - timedelta(hours=1)
    book = Gradebook(f"sqlite:///{path}", exchange.course)
    book.add_assignment("ps1", duedate=due.replace(tzinfo=None))
    for user in ("u2", "u3"):
        book.add_student(user)
        book.add_submission("ps1", user)
    assert [s.late for s in exchange.listed()] == [True, True]
    book.grant_extension("ps1", "u3", hours=2)
    book.close()
    assert {s.id: s.late for s in exchange.listed()} == {one.id: True, other.id: False}
    [released] = assignments.list_assignments(exchange.services, exchange.course)
    assert released.due_at == due


def test_an_unreadable_gradebook_does_not_prevent_submitting(exchange: ExchangeCourse):
    """Work is accepted, and not late, where the due date cannot be read."""
    path = exchange.services.host.prepare_course(exchange.course) / "gradebook.db"
    path.write_bytes(b"no database" * 100)
    assert not exchange.submit().late


def test_the_time_is_that_of_the_first_byte_for_a_minute(exchange: ExchangeCourse):
    """A slow machine makes nobody late, and a slower upload counts at its end."""
    began = now() - timedelta(seconds=30)
    assert exchange.submit(files={"a": b"1"}, began=began).received_at == began
    before = now()
    dawdled = exchange.submit(files={"a": b"2"}, began=now() - timedelta(seconds=90))
    assert dawdled.received_at >= before


def test_a_full_disk_leaves_nothing(exchange: ExchangeCourse):
    """When no more can be written the upload fails with a message, and can be sent again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = exchange.files()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**20, hard))
    try:
        with pytest.raises(DiskFull):
            exchange.submit(files={"a": bytes(3 * 2**20)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert exchange.files() == before
    assert exchange.submit(files={"a": bytes(3 * 2**20)}).size > 3 * 2**20


def test_a_full_database_leaves_nothing(exchange: ExchangeCourse):
    """A commit for which there is no room is reported as a full disk, and leaves no file."""
    engine = exchange.services.db.engine
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such switch")
    engine.dispose()
    before = exchange.files()

    def full(connection, _record, _proxy) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()

    event.listen(engine, "checkout", full)
    wide = {f"{'n' * 200}{index}.ipynb": b"" for index in range(400)}
    with pytest.raises(DiskFull):
        exchange.submit(files=wide)
    event.remove(engine, "checkout", full)
    assert exchange.files() == before
    assert exchange.listed() == []


def test_a_broken_upload_leaves_nothing(exchange: ExchangeCourse):
    """Whatever ends an upload early leaves neither row nor file."""
    before = exchange.files()
    archive = tar_of({"a": bytes(50_000)})

    def broken():
        yield from pieces(archive[:30_000])
        raise ConnectionResetError

    for body in (broken(), pieces(archive[:30_000]), pieces(b"")):
        with pytest.raises((KoreError, ConnectionResetError)):
            submissions.submit(
                exchange.services, exchange.course, "ps1", body, user="u2", key="k", began=now()
            )
    assert exchange.files() == before
    assert exchange.listed() == []
    assert exchange.submit(key="k").id


def test_an_assignment_that_is_withdrawn_meanwhile(exchange: ExchangeCourse):
    """Work for an assignment withdrawn during the upload is refused, and leaves no file."""

    def slow():
        yield from pieces(tar_of({"a": b"1"}))
        assignments.withdraw_assignment(exchange.services, exchange.course, "ps1", by="u1")

    with pytest.raises(KoreError) as caught:
        submissions.submit(
            exchange.services, exchange.course, "ps1", slow(), user="u2", key=None, began=now()
        )
    assert caught.value.code == "assignment_unknown.not_released"
    assert exchange.files() == []


def test_feedback_is_recorded_once_for_many_students(exchange: ExchangeCourse):
    """nbgrader releases feedback to one student after the other."""
    for user in ("u2", "u3"):
        exchange.feedback(exchange.submit(user))
    recorded = [entry for entry in exchange.audit() if entry[0] == "exchange.feedback"]
    assert recorded == [("exchange.feedback", "done", "audit.feedback")]
