"""Every caller against every route: who is let in, who is refused, and in which words.

A route that has no row here fails ``test_every_route_has_a_row``, and a guard that lets in
someone it should not fails the row.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import kore.service
from kore.service import audit, catalog, jobs
from kore.service.backups.job import queue_backup
from kore.service.db.models import JobState
from kore.service.grades.plans import SEND
from kore.service.job_kinds import HANDLERS
from kore.shared.messages import message, plain
from tests.support import notebooks
from tests.support.kore import Harness, Via, make_kore

UNKNOWN_COURSE, UNKNOWN_JOB = "c-" + "0" * 16, "0" * 32


class Caller(Enum):
    """Who calls. Every one but the first has a session, a token, or both."""

    NOBODY = "no one"
    STRANGER = "someone in no course"
    STUDENT = "a student of the course"
    OBSERVER = "a mentor in the course"
    ELSEWHERE = "a teacher of another course"
    TEACHER = "a teacher of the course"
    ADMIN = "a hub admin"
    ACCOUNT = "the course's own account"
    OTHER_ACCOUNT = "another course's account"
    HUB_LOGIN = "the hub's login"
    SERVICE = "another service"
    NARROW = "a token without the scope for Kore"


C = Caller
ANYONE = set(C)
USERS = {
    C.STRANGER,
    C.STUDENT,
    C.OBSERVER,
    C.ELSEWHERE,
    C.TEACHER,
    C.ADMIN,
    C.ACCOUNT,
    C.OTHER_ACCOUNT,
}
TEACHERS = {C.TEACHER, C.ADMIN, C.ACCOUNT}
MEMBERS = TEACHERS | {C.STUDENT, C.OBSERVER}


@dataclass
class Row:
    """One route: who may call it, how it is called, and what the ones let in are answered."""

    allowed: set[Caller]
    answers: set[int]
    path: Callable[[World], str] | None = None
    options: Callable[[World], dict[str, Any]] = lambda _world: {}
    # What those who are refused are told: the 404 hides a course, the 403 does not.
    hides: set[Caller] = field(default_factory=lambda: {C.STRANGER, C.ELSEWHERE, C.OTHER_ACCOUNT})
    denies: int = 403
    page: bool = False


def _course(world: World) -> dict[str, str]:
    return {"course_id": world.course}


def _in_query(world: World) -> dict[str, Any]:
    return {"query_string": {"course": world.course}}


def _of_problem(world: World) -> dict[str, Any]:
    source = {"kind": "course", "source": world.course}
    return {"query_string": source | {"assignment": "ps1", "problem": "squares"}}


def _copy(world: World) -> dict[str, Any]:
    """Copy an assignment within its own course: who may do it is all that is asked here."""
    source = {"kind": "course", "id": world.course}
    return {"json": {"from": source, "assignment": "ps1", "collision": "keep_both"}}


def _launch(_world: World) -> dict[str, Any]:
    return {
        "json": {
            "user": "u77",
            "user_created_at": "2026-11-24T08:00:00Z",
            "client_id": "kore-client",
            "claims": {},
            "platform": {
                "issuer": "https://lms.example",
                "client_id": "kore-client",
                "token_url": "https://lms.example/token",
            },
        }
    }


def _archive(_world: World) -> dict[str, Any]:
    """Send a folder with one notebook, as a program does: in one tar stream."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("squares.ipynb")
        entry.size = len(NOTEBOOK)
        archive.addfile(entry, io.BytesIO(NOTEBOOK))
    return {"data": stream.getvalue(), "content_type": "application/x-tar"}


def _settings(_world: World) -> dict[str, Any]:
    return {
        "json": {
            "feedback": {"show_hidden_tests": False, "run_again": True},
            "solution": {"begin": "BEGIN", "end": "END"},
            "code_stub": {"python": "..."},
        }
    }


def _upload(world: World) -> dict[str, Any]:
    """Send what is no backup: who may send at all is told that."""
    return {
        "query_string": {"course": world.course},
        "data": b"no archive" * 100,
        "content_type": "application/octet-stream",
    }


def _own_backup(world: World) -> str:
    """Make a backup to be deleted."""
    job = queue_backup(
        world.kore.services, world.course, by=world.names[C.TEACHER], contents="sources"
    )
    world.kore.work()
    return f"/backups/{job}"


NOTEBOOK = json.dumps(notebooks.assignment()).encode()
_EXCHANGE = "/exchange/{course_id}"
_OWN = {C.STUDENT} | TEACHERS
_OUTSIDERS = {C.STRANGER, C.STUDENT, C.OBSERVER, C.ELSEWHERE, C.OTHER_ACCOUNT}

ROUTES: dict[tuple[str, str], Row] = {
    ("GET", _EXCHANGE): Row(MEMBERS, {200}),
    ("GET", _EXCHANGE + "/assignments"): Row(MEMBERS, {200}),
    ("PUT", _EXCHANGE + "/assignments/{name}"): Row(TEACHERS, {200, 201}, options=_archive),
    ("GET", _EXCHANGE + "/assignments/{name}"): Row(MEMBERS, {200}),
    ("DELETE", _EXCHANGE + "/assignments/{name}"): Row(
        TEACHERS, {204, 404}, path=lambda world: f"/exchange/{world.course}/assignments/other"
    ),
    ("POST", _EXCHANGE + "/assignments/{name}/submissions"): Row(
        {C.STUDENT, C.TEACHER, C.ACCOUNT}, {201}, options=_archive
    ),
    ("GET", _EXCHANGE + "/submissions"): Row(MEMBERS, {200}),
    # What is another's looks as if it were not there, also to members of the course.
    ("GET", _EXCHANGE + "/submissions/{submission_id}"): Row(_OWN, {200}, denies=404),
    ("PUT", _EXCHANGE + "/submissions/{submission_id}/feedback"): Row(
        TEACHERS, {200, 201}, options=_archive
    ),
    ("GET", _EXCHANGE + "/submissions/{submission_id}/feedback"): Row(_OWN, {200}, denies=404),
    ("GET", "/health"): Row(ANYONE, {200}),
    ("GET", "/jwks"): Row(ANYONE, {200}),
    ("GET", "/openapi.json"): Row(ANYONE, {200}),
    ("POST", "/launches"): Row({C.HUB_LOGIN}, {422}, options=_launch, hides=set()),
    ("GET", "/session"): Row(USERS, {200}),
    ("GET", "/courses"): Row(USERS, {200}),
    ("GET", "/courses/active"): Row(USERS, {200}),
    ("GET", "/courses/current"): Row(USERS, {200}),
    ("GET", "/courses/{course_id}"): Row(MEMBERS, {200}),
    ("POST", "/courses/{course_id}/open"): Row(TEACHERS, {202}),
    ("GET", "/courses/{course_id}/audit"): Row(TEACHERS, {200}),
    ("POST", "/courses/{course_id}/autograde"): Row(
        TEACHERS, {404}, options=lambda _world: {"json": {"assignment": "none"}}
    ),
    ("POST", "/courses/{course_id}/autograde/claim"): Row(
        {C.ACCOUNT},
        {404},
        options=lambda _world: {"json": {"ticket": "0" * 64}},
        hides=USERS - {C.ACCOUNT},
    ),
    ("GET", "/courses/{course_id}/settings"): Row(TEACHERS, {200}),
    ("PUT", "/courses/{course_id}/settings"): Row(TEACHERS, {200}, options=_settings),
    ("POST", "/courses/{course_id}/copies/plan"): Row(TEACHERS, {200}, options=_copy),
    ("POST", "/courses/{course_id}/copies"): Row(TEACHERS, {202}, options=_copy),
    ("GET", "/assignments"): Row(USERS, {200}),
    ("GET", "/problems"): Row(USERS, {200}),
    ("GET", "/problems/preview"): Row(
        TEACHERS, {200}, options=_of_problem, hides=ANYONE - TEACHERS - {C.HUB_LOGIN, C.SERVICE}
    ),
    ("POST", "/courses/{course_id}/backups"): Row(
        TEACHERS, {202}, options=lambda _world: {"json": {"contents": "sources"}}
    ),
    # What is typed is not the title: anyone who may end a course is told that.
    ("POST", "/courses/{course_id}/restore"): Row(
        TEACHERS,
        {404},
        options=lambda _world: {"json": {"backup": UNKNOWN_JOB, "confirm": ""}},
    ),
    ("POST", "/courses/{course_id}/reset"): Row(
        TEACHERS, {422}, options=lambda _world: {"json": {"confirm": "Another course"}}
    ),
    ("POST", "/courses/{course_id}/delete"): Row(
        TEACHERS, {422}, options=lambda _world: {"json": {"confirm": "Another course"}}
    ),
    ("GET", "/backups"): Row(TEACHERS, {200}, options=_in_query),
    ("POST", "/backups/upload"): Row(TEACHERS, {422}, options=_upload),
    ("GET", "/backups/{backup_id}/archive"): Row(TEACHERS, {200}, hides=_OUTSIDERS, denies=404),
    # It is for the owner and admins; another teacher is told so.
    ("DELETE", "/backups/{backup_id}"): Row(
        {C.TEACHER, C.ADMIN}, {204}, path=_own_backup, hides=_OUTSIDERS
    ),
    ("GET", "/grades"): Row(TEACHERS, {200}, options=_in_query),
    ("POST", "/grades"): Row(
        TEACHERS, {202}, options=lambda world: {"json": {"course": world.course}}
    ),
    ("GET", "/jobs"): Row(TEACHERS, {200}, options=_in_query),
    ("GET", "/jobs/{job_id}"): Row(TEACHERS, {200}),
    ("POST", "/jobs/{job_id}/cancel"): Row(TEACHERS, {202}),
}
"""The API's routes, by method and path as ``openapi.json`` has them."""

PAGES: dict[tuple[str, str], Row] = {
    ("GET", "/"): Row(USERS, {200}, page=True),
    ("GET", "/page/courses/{course_id}"): Row(MEMBERS, {200}, page=True),
    ("GET", "/page/courses/{course_id}/{view}"): Row(
        MEMBERS, {200}, path=lambda world: f"/page/courses/{world.course}/grades", page=True
    ),
    ("GET", "/page/jobs/{job_id}"): Row(TEACHERS, {200}, page=True),
    ("GET", "/launch/{course_id}"): Row(
        USERS, {200, 302}, path=lambda world: f"/launch/{world.course}?tries=1", page=True
    ),
    ("GET", "/oauth_callback"): Row(ANYONE, {400}, page=True),
    ("GET", "/static/{filename}"): Row(ANYONE, {200}, path=lambda _world: "/static/kore.svg"),
}
"""Kore's pages, which are not part of the API."""


AUDITED: dict[tuple[str, str], str] = {
    ("PUT", _EXCHANGE + "/assignments/{name}"): "exchange.release",
    ("DELETE", _EXCHANGE + "/assignments/{name}"): "exchange.withdraw",
    ("PUT", _EXCHANGE + "/submissions/{submission_id}/feedback"): "exchange.feedback",
    ("POST", "/courses/{course_id}/open"): "course.open",
    ("PUT", "/courses/{course_id}/settings"): "course.settings",
    ("POST", "/courses/{course_id}/autograde"): "assignment.autograde",
    ("POST", "/courses/{course_id}/copies"): "course.copy",
    ("POST", "/courses/{course_id}/backups"): "course.backup",
    ("POST", "/courses/{course_id}/restore"): "course.restore",
    ("POST", "/courses/{course_id}/reset"): "course.reset",
    ("POST", "/courses/{course_id}/delete"): "course.delete",
    ("POST", "/backups/upload"): "backup.upload",
    ("GET", "/backups/{backup_id}/archive"): "backup.download",
    ("DELETE", "/backups/{backup_id}"): "backup.delete",
    ("POST", "/grades"): "grades.send",
    ("POST", "/jobs/{job_id}/cancel"): "job.cancel",
}
"""What each route that changes a course, or gives it away, is called in the course's audit."""

NOT_AUDITED = {
    ("POST", _EXCHANGE + "/assignments/{name}/submissions"): "a submission is its own record",
    ("POST", "/launches"): "the hub's report: course and member are its record",
    ("POST", "/courses/{course_id}/autograde/claim"): "a step of a job that is recorded",
    ("POST", "/courses/{course_id}/copies/plan"): "changes nothing",
    ("POST", "course.provision"): "the service's own doing",
}
"""What changes something and has no entry, and why."""


@dataclass
class World:
    """A hub with two courses and everyone in the table."""

    kore: Harness
    course: str
    job: str
    submission: str
    backup: str
    names: dict[Caller, str]

    def client(self, caller: Caller, way: str) -> Any:
        if caller is C.NOBODY:
            return self.kore.client_for(None)
        kind = "service" if caller in {C.HUB_LOGIN, C.SERVICE} else "user"
        name = self.names[caller]
        if caller is C.NARROW:
            client = self.kore.client_for(name, via="token")
            token = self.kore.token_for(name, scopes={"read:users!user=" + name})
            client.headers["Authorization"] = f"token {token}"
            return client
        via: Via = "token" if way == "token" else "session"
        return self.kore.client_for(name, via=via, kind=kind, proof=way != "session, no proof")

    def call(self, caller: Caller, way: str, method: str, path: str, row: Row) -> Any:
        names = {
            "course_id": self.course,
            "job_id": self.job,
            "name": "ps1",
            "submission_id": self.submission,
            "backup_id": self.backup,
        }
        where = row.path(self) if row.path else path.format(**names)
        options = row.options(self)
        if row.page:
            options["headers"] = {"Accept": "text/html"}
        return self.client(caller, way).open(where, method=method, **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with make_kore(tmp_path_factory.mktemp("callers")) as kore:
        course, teacher = kore.launch("1", "Instructor", name="Tess Teacher")
        _, student = kore.launch("2", "Learner", name="Stu Student")
        _, observer = kore.launch("3", "Mentor", name="Mo Mentor")
        other, elsewhere = kore.launch("4", "Instructor", link="link-2")
        kore.make_admin("u5")
        kore.work()
        kore.source(course, "ps1", squares=notebooks.assignment())
        with kore.db.session() as session:
            job = jobs.enqueue(
                session, SEND, course_id=course, created_by=teacher, message=plain("Sent grades")
            )
            job.state = JobState.DONE
        names = {
            C.STRANGER: "u6",
            C.STUDENT: student,
            C.OBSERVER: observer,
            C.ELSEWHERE: elsewhere,
            C.TEACHER: teacher,
            C.ADMIN: "u5",
            C.ACCOUNT: course,
            C.OTHER_ACCOUNT: other,
            C.HUB_LOGIN: "hub-login",
            C.SERVICE: "culler",
            C.NARROW: teacher,
        }
        kore.hub.users.update(name for name in names.values() if name[0] in "uc")
        world = World(kore, course, job.id, "", "", names)
        work = f"/exchange/{course}/assignments/ps1"
        released = world.client(C.TEACHER, "token").open(work, method="PUT", **_archive(world))
        assert released.status_code == 201, released.text
        handed_in = world.client(C.STUDENT, "token").post(work + "/submissions", **_archive(world))
        world.submission = handed_in.json["id"]
        feedback = f"/exchange/{course}/submissions/{world.submission}/feedback"
        given = world.client(C.TEACHER, "token").open(feedback, method="PUT", **_archive(world))
        assert given.status_code == 201, given.text
        world.backup = _own_backup(world).rpartition("/")[2]
        yield world


def _ways(caller: Caller) -> list[str]:
    if caller is C.NOBODY:
        return ["none"]
    if caller is C.NARROW:
        return ["token"]
    return ["token", "session", "session, no proof"]


CASES = [
    pytest.param(method, path, row, caller, way, id=f"{method} {path} by {caller.value}, {way}")
    for (method, path), row in (ROUTES | PAGES).items()
    for caller in C
    for way in _ways(caller)
]


def test_every_route_has_a_row(world: World):
    """A new route without a row in this table fails here, in the API and among the pages."""
    document = world.kore.client_for(None).get("/openapi.json").json
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == set(ROUTES)
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in world.kore.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == set(ROUTES) | set(PAGES)


@pytest.mark.parametrize(("method", "path", "row", "caller", "way"), CASES)
def test_caller_and_route(world: World, method, path, row: Row, caller: Caller, way: str):
    """Each caller, in each way to prove who they are, is let in or refused as the row says."""
    answer = world.call(caller, way, method, path, row)
    if way == "session, no proof" and method != "GET" and row.allowed != ANYONE:
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "csrf")
    elif caller in row.allowed:
        assert answer.status_code in row.answers, answer.text
    elif caller in {C.NOBODY, C.NARROW}:
        # A browser is sent to sign in; a program is told that it must.
        assert answer.status_code == (302 if row.page and caller is C.NOBODY else 401)
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/hub/api/oauth2/authorize?")
    elif caller in row.hides:
        assert answer.status_code == 404
        assert world.course not in answer.text
    elif row.denies == 404 and caller is C.OBSERVER:
        assert answer.status_code == 404
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "row"),
    [
        pytest.param(method, path, row, id=f"{method} {path}")
        for (method, path), row in (ROUTES | PAGES).items()
        if "{course_id}" in path or "{job_id}" in path or row.options in (_in_query, _of_problem)
        if path != "/launch/{course_id}"
    ],
)
def test_what_is_not_there_looks_like_what_is_not_yours(world: World, method, path, row: Row):
    """A course or job of others and one that does not exist are refused in the same words."""
    nowhere = World(world.kore, UNKNOWN_COURSE, UNKNOWN_JOB, UNKNOWN_JOB, UNKNOWN_JOB, world.names)
    theirs = world.call(C.ELSEWHERE, "token", method, path, row)
    nothing = nowhere.call(C.ELSEWHERE, "token", method, path, row)
    assert theirs.status_code == nothing.status_code
    assert _without_proof(theirs.text) == _without_proof(nothing.text)


def _without_proof(page: str) -> str:
    """Leave out the CSRF token, which differs from answer to answer."""
    return re.sub(r'<meta name="csrf-token"[^>]*>', "", page)


def _actions() -> set[str]:
    """Return every action that the code records by its name, and those of jobs."""
    kinds = {kind.name for kind in HANDLERS if not kind.quiet}
    sources = (Path(kore.service.__file__).parent).rglob("*.py")
    named = {name for path in sources for name in re.findall(r'action="(.+?)"', path.read_text())}
    return kinds | named


def test_every_change_has_an_audit_entry_or_a_reason():
    """A new route that changes something, and a new kind of job, must say which."""
    changing = {route for route in ROUTES if route[0] != "GET"}
    quiet = {("POST", kind.name) for kind in HANDLERS if kind.quiet}
    assert changing | quiet == {route for route in AUDITED if route[0] != "GET"} | set(NOT_AUDITED)
    assert set(AUDITED.values()) == _actions()


@pytest.mark.parametrize(
    ("route", "action"),
    [
        pytest.param(route, action, id=action)
        for route, action in AUDITED.items()
        if ROUTES[route].answers & {200, 201, 202, 204}
    ],
)
def test_what_a_teacher_changes_is_in_the_audit(world: World, route: tuple[str, str], action: str):
    """Under their name, for the course's teachers to read."""
    row = ROUTES[route]
    if action == "course.open":
        world.kore.services.hub.stop_server(world.course)
    if action == "exchange.withdraw":
        released = f"/exchange/{world.course}/assignments/other"
        world.client(C.TEACHER, "token").open(released, method="PUT", **_archive(world))
    answer = world.call(C.TEACHER, "token", *route, row)
    assert answer.status_code in row.answers, answer.text
    assert answer.data is not None
    entries = audit.list_entries(world.kore.db, world.course, page=1, per_page=200).entries
    mine = [entry for entry in entries if entry.by == world.names[C.TEACHER]]
    assert action in {entry.action for entry in mine}
    assert all(entry.message for entry in mine)


def test_only_admins_list_every_course(world: World):
    """``all=true`` shows a hub admin every course, and is refused to all others."""
    for caller in (C.STRANGER, C.STUDENT, C.TEACHER, C.ACCOUNT):
        answer = world.client(caller, "token").get("/courses?all=true")
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "admins_only")
    listed = world.client(C.ADMIN, "token").get("/courses?all=true").json["courses"]
    assert len(listed) == 2


def test_ones_own_jobs_are_listed_without_a_course(world: World):
    """Without a course the list has what the caller began, and nothing of anybody else."""
    mine = world.client(C.TEACHER, "token").get("/jobs").json["jobs"]
    assert world.job in {job["id"] for job in mine}
    assert {job["created_by"] for job in mine} == {world.names[C.TEACHER]}
    assert world.client(C.STRANGER, "token").get("/jobs").json["jobs"] == []


def test_nobody_names_a_caller_in_the_request(world: World):
    """A user name in query, body or header changes nothing about who calls."""
    client = world.client(C.STUDENT, "token")
    claimed = {"X-Forwarded-User": world.names[C.TEACHER], "X-JupyterHub-User": "u5"}
    answer = client.get(
        "/grades", query_string={"course": world.course, "user": "u1"}, headers=claimed
    )
    assert answer.status_code == 403


def test_a_forged_or_foreign_proof_is_refused(world: World):
    """The CSRF proof of one session does not serve another, nor does an invented one."""
    mine, theirs = world.client(C.TEACHER, "session"), world.client(C.STUDENT, "session")
    for proof in (theirs.headers["X-CSRFToken"], "invented", ""):
        answer = mine.post("/grades", json={"course": world.course}, headers={"X-CSRFToken": proof})
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "csrf")


def test_every_error_has_one_form(world: World):
    """Whatever goes wrong, the body is the error envelope and nothing else."""
    client = world.client(C.TEACHER, "token")
    answers = [
        client.get("/nothing/here"),
        client.post("/courses"),
        client.get("/courses/c-XYZ"),
        client.get("/grades"),
        client.open(f"/exchange/{world.course}/assignments/ps2", method="PUT", data=b"no archive"),
        client.post("/grades", data="{", content_type="application/json"),
        client.post("/grades", json={"course": world.course, "surprise": 1}),
        client.post("/grades", json={"course": world.course, "users": "all"}),
        client.post("/grades", data=b"x" * (3 << 20), content_type="application/json"),
    ]
    for answer in answers:
        assert answer.status_code in {404, 405, 413, 415, 422}, answer.text
        assert set(answer.json) == {"error"}
        assert {"code", "message", "params"} == set(answer.json["error"]) - {"hint"}
        assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de", "de"), ("de-AT, en;q=0.5", "de"), ("fr, en", "en"), ("fr", "en"), ("", "en")],
)
def test_errors_are_in_the_readers_language(world: World, accepted: str, language: str):
    """As Accept-Language asks, else in English; code and parameters are the same in each."""
    client = world.client(C.TEACHER, "token")
    headers = {"Accept-Language": accepted} if accepted else {}
    error = client.get(f"/courses/{UNKNOWN_COURSE}", headers=headers).json["error"]
    with catalog.speaking(language):
        assert error["message"] == catalog.render(message("course_unknown"))
        assert error["hint"] == catalog.render_hint(message("course_unknown"))
    assert (error["code"], error["params"]) == ("course_unknown", {})
