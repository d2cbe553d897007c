"""What is checked before a course is reset, deleted or restored."""

from __future__ import annotations

import pytest

from kore.service import jobs
from kore.service.errors import Busy, Invalid, Unavailable
from kore.service.grades.plans import SEND
from kore.shared.messages import plain
from tests.support.course import FullCourse
from tests.support.lifecycle import (
    code_of,
    find_left_over,
    queue_delete,
    queue_reset,
    run_job,
)


@pytest.mark.parametrize("begin", [queue_reset, queue_delete])
def test_without_the_title_nothing_starts(here: FullCourse, begin):
    """The title must be typed; dashes, case and spaces do not matter."""
    for typed in ("", "Algebra", here.course):
        with pytest.raises(Invalid) as raised:
            begin(here, confirm=typed)
        assert raised.value.code == "title_differs"
    begin(here, confirm=" algebra i -  Homework ")


def test_no_reset_or_deletion_while_grades_are_sent(here: FullCourse):
    """Refused with the reason, which the audit keeps; nothing is queued."""
    with here.kore.db.session() as session:
        jobs.enqueue(
            session,
            SEND,
            course_id=here.course,
            created_by=here.teacher,
            message=plain("Sent grades"),
        )
    client = here.kore.client_for(here.teacher, via="token")
    for what in ("reset", "delete"):
        answer = client.post(f"/courses/{here.course}/{what}", json={"confirm": here.title})
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "busy.grades")
    newest = client.get(f"/courses/{here.course}/audit").json["entries"][0]
    assert (newest["action"], newest["outcome"]) == ("course.delete", "refused")


def test_one_reset_at_a_time(here: FullCourse):
    """A second click is refused while the first is under way."""
    queue_reset(here)
    with pytest.raises(Busy) as raised:
        queue_reset(here)
    assert raised.value.code == "busy.reset"


def test_submissions_are_refused_while_a_course_is_closed(here: FullCourse):
    """Work that would be lost is refused with a hint to try again; afterwards it is accepted."""
    refused = []

    def submit(name: str) -> None:
        if name == "stop_server" and not refused:
            with pytest.raises(Unavailable) as raised:
                here.submit()
            refused.append(raised.value.code)

    here.kore.hub.before_call = submit
    run_job(here, queue_reset(here))
    assert refused == ["course_closed"]
    here.kore.launch("2")
    here.release("ps1")
    here.submit()


def test_a_cancel_in_time_changes_nothing(here: FullCourse):
    """Cancelled while the server stops: the course is as it was, and the report says so."""
    before, job = here.state(), queue_reset(here, backup=False)

    def cancel(name: str) -> None:
        if name == "stop_server":
            jobs.cancel(here.kore.db, job, by="u1")

    here.kore.hub.before_call = cancel
    assert code_of(run_job(here, job, "cancelled")) == "job_cancelled.unchanged"
    assert here.state() == before
    assert find_left_over(here) == []
