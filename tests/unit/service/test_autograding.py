"""The autograding job: what a course's server answers becomes a report for teachers."""

from __future__ import annotations

import dataclasses
import json

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import select

from kore.service import audit, autograding
from kore.service.coursedir import gradebook
from kore.service.coursedir.layout import gradebook_path
from kore.service.db.models import Course, Job, JobItem, Platform
from kore.service.errors import NotFound, UpstreamFailed
from kore.service.hubapi import HubApi, ServerState
from kore.service.jobs import Runner
from kore.shared.messages import message, plain
from tests.support.graded_course import open_kore
from tests.support.raw_server import http, raw_server, replay

COURSE = "c-0123456789abcdef"
GRADED = {"student": "u1", "outcome": "graded", "score": 4, "maximum": 5}


class RunningHub(HubApi):
    """A hub whose servers all run."""

    def server_state(self, user):  # noqa: ARG002
        return ServerState.RUNNING


@pytest.fixture
def kore(tmp_path):
    """A Kore with one course that has the assignment ps1."""
    services = open_kore(tmp_path)
    services = dataclasses.replace(services, hub=RunningHub("http://hub.invalid", "no-token"))
    with services.db.session() as session:
        platform = Platform(issuer="lms", client_id="client", token_url="http://lms.invalid/token")
        session.add(platform)
        session.flush()
        session.add(
            Course(id=COURSE, platform_id=platform.id, deployment_id="1", resource_link_id="1")
        )
    path = gradebook_path(services.host.course_root(COURSE))
    path.parent.mkdir(parents=True)
    gradebook.create(path, COURSE)
    with Gradebook(f"sqlite:///{path}", COURSE) as book:
        book.add_assignment("ps1")
    yield services
    services.db.close()


def enqueue(services, assignment="ps1"):
    """Queue the grading of new work."""
    return autograding.enqueue(
        services, COURSE, by="u9", assignment=assignment, students=None, collect=True, again=False
    )


def grade(services, *events):
    """Grade with a server that answers with events; return the job and its items by student."""
    body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    job_id = enqueue(services)
    with raw_server(replay(http("200 OK", body))) as server:
        settings = dataclasses.replace(services.settings, proxy_url=server.url)
        services = dataclasses.replace(services, settings=settings)
        runner = Runner(services, {autograding.KIND: autograding.run}, threads=1)
        context = runner._claim()
        assert context is not None
        runner._run(context)
    with services.db.reading() as session:
        items = session.scalars(select(JobItem).where(JobItem.job_id == job_id))
        return session.get_one(Job, job_id), {item.key: item for item in items}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (GRADED, None),
        ({**GRADED, "outcome": "needs_manual"}, message("autograde.needs_manual")),
        ({"student": "u1", "outcome": "skipped"}, message("autograde.not_collected")),
        ({"student": "u1", "outcome": "failed"}, message("autograde.failed")),
        (
            {"student": "u1", "outcome": "failed", "reason": "DeadKernelError: x", "log": "y"},
            plain("DeadKernelError: x"),
        ),
    ],
    ids=["graded", "manual", "skipped", "failed", "reason"],
)
def test_each_outcome_is_reported(kore, event, expected):
    """An outcome becomes a message; nbgrader's own reason is shown as it is."""
    started = {"students": ["u1"]}, {"started": "u1"}
    job, items = grade(kore, {"collecting": True}, *started, event, {}, {"finished": True})
    assert (items["u1"].outcome, items["u1"].message) == (event["outcome"], expected)
    count = message(f"count.{event['outcome']}", n=1)
    assert (job.state, job.message) == ("done", message("counts", parts=[count]))


def test_events_of_an_older_server_are_understood(kore):
    """A server from before an update sends sentences: its outcomes count all the same."""
    old = {**GRADED, "message": "", "log": ""}
    job, items = grade(kore, {"students": ["u1"]}, old, {"finished": True})
    assert (job.state, items["u1"].outcome) == ("done", "graded")


def test_nothing_new_is_reported(kore):
    """Without new work the job is done, and says so."""
    job, _ = grade(kore, {"students": []}, {"finished": True})
    assert (job.state, job.message) == ("done", message("autograde.nothing_new"))


@pytest.mark.parametrize(
    ("said", "reason"), [("", message("autograde.no_reason")), ("OSError: x", plain("OSError: x"))]
)
def test_failed_collecting_has_the_reason(kore, said, reason):
    """If collecting fails, the job fails with nbgrader's reason, or says that there is none."""
    job, _ = grade(kore, {"collecting": True}, {"not_collected": said})
    assert (job.state, job.message) == ("failed", message("collecting_failed", reason=reason))


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{"student": "u2", "outcome": "graded"}],
        [{"student": "u1", "outcome": "odd"}],
        [GRADED, GRADED],
    ],
    ids=["end", "other-student", "outcome", "twice"],
)
def test_senseless_answer_ends_the_job(kore, events):
    """An answer that breaks off or makes no sense fails the job, which can be repeated."""
    job, _ = grade(kore, {"students": ["u1"]}, *events)
    assert (job.state, job.message) == ("failed", message("autograding_interrupted"))


def test_interrupted_student_is_reported(kore):
    """The student whose work was being graded when the server was lost is reported."""
    _, items = grade(kore, {"students": ["u1"]}, {"started": "u1"})
    assert items["u1"].message == message("autograde.interrupted")


def test_request_is_in_the_audit(kore):
    """The course's history has who asked to grade which assignment."""
    enqueue(kore)
    (entry,) = audit.list_entries(kore.db, COURSE, page=1, per_page=10).entries
    assert entry.message is not None
    assert (entry.by, entry.message.code) == ("u9", "audit.autograde")
    assert entry.message.params == {"assignment": "ps1"}


def test_unknown_assignment_is_not_found(kore):
    """A name that the gradebook does not have is no job."""
    with pytest.raises(NotFound):
        enqueue(kore, "ps2")


def test_unknown_ticket_is_not_found(kore):
    """A ticket that no running job has gives nothing away."""
    enqueue(kore)
    with pytest.raises(NotFound):
        autograding.claim(kore, COURSE, "0" * 64)


def test_server_that_does_not_start_fails_the_job(kore, monkeypatch):
    """If the course's server does not start in time, the job says so."""
    monkeypatch.setattr(autograding, "_START_SECONDS", -1)
    monkeypatch.setattr(RunningHub, "server_state", lambda *_: ServerState.STOPPED)
    job_id = enqueue(kore)
    runner = Runner(kore, {autograding.KIND: autograding.run}, threads=1)
    context = runner._claim()
    assert context is not None
    with pytest.raises(UpstreamFailed) as caught:
        autograding.run(context)
    assert (context.job_id, caught.value.code) == (job_id, "server_not_started")
