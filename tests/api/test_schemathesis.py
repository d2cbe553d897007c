"""The whole API under generated requests: no 5xx, and no answer that is not documented.

Each request is sent as it was generated, by a student, and again by a teacher and by an admin
with ids that exist, so that it comes further than to the guard.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as of_openapi
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from kore.service.courses import listing
from kore.service.errors import TooSlow
from tests.api.test_callers import ROUTES
from tests.support import notebooks
from tests.support.kore import PREFIX, Harness, make_kore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EXAMPLES = 10
CHECKS = [
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_schema_conformance,
]


@schemathesis.serializer("application/x-tar", "application/octet-stream")
def _as_it_is(_context: Any, value: Any) -> Any:
    """Send bytes as they are, and anything else as bytes that are no archive."""
    return {"data": value if isinstance(value, bytes) else str(value).encode()}


@dataclass
class World:
    """A course with some of everything, and the ids of it."""

    kore: Harness
    tokens: dict[str, str]
    ids: dict[str, str]

    @property
    def site(self) -> Any:
        """The application below its prefix, as it is served."""
        return DispatcherMiddleware(self.kore.app.wsgi_app, {PREFIX: self.kore.app.wsgi_app})

    def known(self, values: Any) -> Any:
        """Put ids that exist instead of generated ones."""
        if isinstance(values, dict):
            return {
                key: self.ids[key] if key in self.ids and isinstance(value, str) else value
                for key, value in values.items()
            }
        return values


def _archive() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("p.ipynb")
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"{}"))
    return stream.getvalue()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with make_kore(tmp_path_factory.mktemp("generated")) as kore:
        course, teacher = kore.launch("1", "Instructor", name="Tess Teacher")
        _, student = kore.launch("2", "Learner", name="Stu Student")
        kore.make_admin("u5")
        kore.work()
        kore.source(course, "ps1", squares=notebooks.assignment())
        tokens = {
            "teacher": kore.token_for(teacher),
            "student": kore.token_for(student),
            "admin": kore.token_for("u5"),
            "hub": kore.token_for("hub-login", kind="service"),
        }
        sent = {"data": _archive(), "content_type": "application/x-tar"}
        work = f"/exchange/{course}/assignments/ps1"
        kore.client_for(teacher, via="token").open(work, method="PUT", **sent)
        handed_in = kore.client_for(student, via="token").post(work + "/submissions", **sent)
        graded = kore.client_for(teacher, via="token").post("/grades", json={"course": course})
        tess = kore.client_for(teacher, via="token")
        tess.post(f"/courses/{course}/backups", json={"contents": "everything"})
        kore.work()
        backup = tess.get(f"/backups?course={course}").json["backups"][0]["id"]
        ids = {
            "backup_id": backup,
            "backup": backup,
            "course_id": course,
            "course": course,
            "source": course,
            "id": course,
            "submission_id": handed_in.json["id"],
            "job_id": graded.json["id"],
            "name": "ps1",
            "assignment": "ps1",
            "problem": "squares",
            "user": student,
        }
        yield World(kore, tokens, ids)


@pytest.fixture(scope="module")
def document(world: World) -> Any:
    return schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", world.site)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("method", "path"), [pytest.param(*key, id=" ".join(key)) for key in ROUTES]
)
def test_every_answer_is_documented(world: World, document, method, path, mode):
    """Status, content type and body are those of openapi.json, for good requests and bad ones."""

    @given(case=document[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def answers(case: Any) -> None:
        send(case, world.tokens["student"])
        send(case, world.tokens["hub"])
        case.path_parameters = world.known(case.path_parameters)
        case.query = world.known(case.query)
        case.body = world.known(case.body)
        if isinstance(case.body, dict) and "from" in case.body:
            case.body["from"] = world.known(case.body["from"])
        if isinstance(case.body, bytes) and len(case.body) % 2:
            case.body = _archive()
        send(case, world.tokens["teacher"])
        send(case, world.tokens["admin"])

    # Nothing can be wrong about what takes nothing.
    with suppress(Unsatisfiable):
        answers()


def send(case: Any, token: str) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"token {token}"})


def test_what_is_not_documented_is_found(world: World, document, monkeypatch):
    """A route that answers with a status of its own, or that breaks, fails the walk."""
    for error in (TooSlow("job_unknown"), RuntimeError("broken")):

        def refuse(*_args: Any, error: Exception = error, **_options: Any) -> None:
            raise error

        monkeypatch.setattr(listing, "list_courses", refuse)
        case = document["/courses"]["GET"].Case()
        with pytest.raises(FailureGroup):
            send(case, world.tokens["teacher"])
