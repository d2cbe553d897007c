"""What feedback shows of hidden tests.

nbgrader's ``ClearHiddenTests`` gives up on a notebook with marks in the wrong places, and
students can write marks too: here no notebook is given up on, and what cannot be cleared
is left out as a whole.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests

_LEFT_OUT = "# Hidden tests"
_NO_OUTPUT = "The output is left out: it comes from hidden tests too.\n"


def without_hidden_tests(nb: NotebookNode, clear: ClearHiddenTests) -> NotebookNode:
    """Return a copy of an autograded notebook without hidden tests and what they printed."""
    notebook = deepcopy(nb)
    clear.enforce_metadata = False
    for index, cell in enumerate(notebook.cells):
        # An answer that is graded by hand is the student's own, marks and all.
        if utils.is_grade(cell) and not utils.is_solution(cell):
            _clear(cell, index, clear)
    return notebook


def _clear(cell: NotebookNode, index: int, clear: Any) -> None:
    before = cell.source
    try:
        clear.preprocess_cell(cell, {}, index)
    except RuntimeError:
        cell.source = _LEFT_OUT
    if cell.source != before and cell.get("outputs"):
        cell.outputs = [new_output("stream", name="stdout", text=_NO_OUTPUT)]
