"""The API against its own document: whatever is sent, what comes back is documented, and no 5xx.

Schemathesis makes requests from ``/openapi.json``, good ones and bad ones, as a teacher of a
course sends them. Ids in them are random, or those of the course and what is in it.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kore.app import mount
from kore.backups import making
from tests.support.kore import PREFIX, make_kore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 15


@schemathesis.serializer("application/x-tar")
def _as_bytes(_context, value):
    """Send any bytes: archives have property tests of their own."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def kore(tmp_path_factory):
    with make_kore(tmp_path_factory.mktemp("schema")) as kore:
        yield kore


@pytest.fixture(scope="module")
def world(kore):
    """A course with a teacher and a backup; return what stands for ids, and the token."""
    course, teacher = kore.launch("1", "Instructor")
    kore.launch("2")
    kore.work()
    job = making.queue(kore.services, course, by=teacher, contents="everything")
    kore.work()
    return {
        "course_id": course,
        "course": course,
        "job_id": job,
        "backup_id": job,
        "token": kore.token_for(teacher),
    }


def test_every_answer_is_documented(kore, world):
    """No request makes Kore fail, or answer what its document does not say."""
    schema = openapi.from_wsgi(f"{PREFIX}/openapi.json", mount(kore.app, PREFIX))
    headers = {"Authorization": f"token {world['token']}"}
    wrong: dict[str, str] = {}

    def attempt(operation, mode: GenerationMode) -> None:
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
        def call(case, real) -> None:
            for where in (case.path_parameters, case.query):
                for name in where or {}:
                    if name in world and real:
                        where[name] = world[name]
            case.call_and_validate(headers=headers, checks=CHECKS)

        call()

    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            try:
                attempt(operation, mode)
            except Unsatisfiable:
                continue  # nothing can be wrong about what takes nothing
            except Exception as error:  # noqa: BLE001 - all of them are told together
                wrong[f"{operation.label}, {mode.value}"] = str(error)[:1500]
    assert wrong == {}, "\n\n".join(f"{label}: {words}" for label, words in wrong.items())
