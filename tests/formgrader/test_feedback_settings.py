"""Hidden tests in feedback, by the course's settings."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_output

from kore.service.courses import settings
from tests.support.course_server import COURSE, add_submission, generate_feedback, only_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MINE = "BEGIN HIDDEN TESTS BEGIN HIDDEN TESTS"
TRACE = "the traceback names the hidden test"


def _marks(notebook: Any) -> Any:
    """Return a notebook whose function fails, and that has markers of hidden tests itself."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "test-square":
            cell.outputs = [
                new_output("error", ename="AssertionError", evalue="", traceback=[TRACE])
            ]
        elif cell.metadata.get("nbgrader", {}).get("grade_id") == "square":
            cell.source = "def square(x):\n    return 9 if x == 3 else 1 / 0"
        elif cell.metadata.get("nbgrader", {}).get("grade_id") == "why":
            cell.source = MINE
    return notebook


def _feedback(tmp_path: Any, **feedback: bool) -> str:
    root = tmp_path / "course"
    root.mkdir()
    add_submission(root, "u7", _marks, first="Ada", last="Example")
    services = only_files(root)
    wanted = settings.read(services, COURSE)
    for name, value in feedback.items():
        setattr(wanted.feedback, name, value)
    settings.write(services, COURSE, wanted)
    return generate_feedback(root, "u7").read_text()


def test_hidden_tests_are_shown_by_default(tmp_path):
    """As in nbgrader, the feedback has the whole notebook."""
    page = _feedback(tmp_path)
    assert "### BEGIN HIDDEN TESTS" in page
    assert TRACE in page


@pytest.mark.parametrize("again", [False, True])
def test_hidden_tests_and_their_output_are_omitted(tmp_path, again):
    """Neither source nor output of a hidden test is shown; a student's markers are harmless.

    If the notebook runs again, the visible test passes, so the cell has no error.
    """
    page = _feedback(tmp_path, show_hidden_tests=False, run_again=again)
    assert TRACE not in page
    assert "### BEGIN HIDDEN TESTS" not in page
    assert MINE in page
    assert ("The output is omitted" in page) is not again
    assert "ZeroDivisionError" not in page


def test_run_again_with_hidden_tests_shows_their_output(tmp_path):
    """If the whole notebook runs again, the feedback shows that the hidden test fails."""
    page = _feedback(tmp_path, run_again=True)
    assert TRACE not in page
    assert "ZeroDivisionError" in page
