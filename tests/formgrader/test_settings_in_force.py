"""A running formgrader uses the course's current settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kore.service.coursedir import gradebook
from kore.service.courses import settings
from tests.support import notebooks
from tests.support.course_server import COURSE, CourseServer, only_files, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _students_version(server: CourseServer) -> str:
    """Let formgrader make the release version; return what replaces the solution."""
    answer = server.post("/formgrader/api/assignment/ps1/assign")
    assert answer.json()["success"], answer.text
    made: dict[str, Any] = json.loads((server.root / "release/ps1/p1.ipynb").read_text())
    cell = made["cells"][1]["source"]
    return cell if isinstance(cell, str) else "".join(cell)


@pytest.mark.parametrize("folder", [".", ".."])
def test_a_setting_takes_effect_at_once(tmp_path: Path, folder: str):
    """A changed setting, and its default again, take effect in a running server.

    In containers the server runs in the folder above the course's.
    """
    root = tmp_path / "course"
    (root / "source" / "ps1").mkdir(parents=True)
    (root / "source/ps1/p1.ipynb").write_text(json.dumps(notebooks.assignment()))
    gradebook.create(root / "gradebook.db", COURSE)
    services = only_files(root)
    usual = settings.read(services, COURSE)
    wanted = usual.model_copy(deep=True)
    wanted.code_stub.python = "# Before the server began"
    settings.write(services, COURSE, wanted)
    with serving(root, cwd=root / folder) as server:
        wanted.code_stub.python = "..."
        settings.write(services, COURSE, wanted)
        assert _students_version(server) == "def square(x):\n    ..."
        settings.write(services, COURSE, usual)
        assert "NotImplementedError" in _students_version(server)
