"""A course server with a harmless and a malicious submission, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from tests.support import hostile_notebooks
from tests.support.browser import running_chromium
from tests.support.course_server import CourseServer, add_submission, serving, unchanged


@dataclass
class Course:
    """A course's server, and the ids of two submissions."""

    server: CourseServer
    honest: str
    hostile: str


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """Run a course's server."""
    root = tmp_path_factory.mktemp("home") / "course"
    root.mkdir()
    honest = add_submission(root, "u101", unchanged, first="Ada", last="Lovelace")
    harm = add_submission(
        root,
        "u666",
        hostile_notebooks.spoil,
        first=hostile_notebooks.PAGE,
        last=hostile_notebooks.MARKUP[4],
    )
    folder = root / "autograded" / "u666" / "ps1"
    (folder / "evil.html").write_text(hostile_notebooks.PAGE)
    (folder / "evil.svg").write_text(hostile_notebooks.SVG)
    (folder / "evil.xhtml").write_text(
        f"<html xmlns='http://www.w3.org/1999/xhtml'><script>{hostile_notebooks.SCRIPT}</script></html>"
    )
    (folder / "nbgrader_config.py").write_text(
        f"open({str(root / 'ran')!r}, 'w').close()\nc = get_config()\n"
    )
    with serving(root) as server:
        yield Course(server, honest, harm)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module."""
    with running_chromium() as chromium:
        yield chromium
