"""What students find of hidden tests in their feedback, by the course's settings."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_output

from kore.service.courses import settings
from tests.support.courseserver import COURSE, add_submission, feedback_of, only_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MINE = "BEGIN HIDDEN TESTS BEGIN HIDDEN TESTS"
TRACE = "the traceback names the hidden test"


def _marks(notebook: Any) -> Any:
    """Be a student whose function fails, and who writes marks of hidden tests too."""
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
    return feedback_of(root, "u7").read_text()


def test_hidden_tests_are_shown_unless_said_otherwise(tmp_path):
    """nbgrader's own way: the feedback has all of the notebook."""
    page = _feedback(tmp_path)
    assert "### BEGIN HIDDEN TESTS" in page
    assert TRACE in page


@pytest.mark.parametrize("again", [False, True])
def test_hidden_tests_and_what_they_print_are_left_out(tmp_path, again):
    """Neither source nor output of a hidden test is shown; odd marks of a student do no harm.

    Run again, the rest of the cell speaks: the visible test holds, so nothing fails.
    """
    page = _feedback(tmp_path, show_hidden_tests=False, run_again=again)
    assert TRACE not in page
    assert "### BEGIN HIDDEN TESTS" not in page
    assert MINE in page
    assert ("The output is omitted" in page) is not again
    assert "ZeroDivisionError" not in page


def test_run_again_with_hidden_tests_shows_what_they_say(tmp_path):
    """Run again as it is, the hidden test fails before the student's eyes."""
    page = _feedback(tmp_path, run_again=True)
    assert TRACE not in page
    assert "ZeroDivisionError" in page
