"""Removes hidden tests from feedback.

nbgrader's ``ClearHiddenTests`` fails on a notebook with misplaced markers, and students can write
markers too. Here no notebook fails: a cell that cannot be cleared is omitted as a whole.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests

_OMITTED_SOURCE = "# Hidden tests"
_OMITTED_OUTPUT = "The output is omitted: it is also from hidden tests.\n"


def remove_hidden_tests(nb: NotebookNode, clear: ClearHiddenTests) -> NotebookNode:
    """Return a copy of an autograded notebook without hidden tests and what they printed."""
    notebook = deepcopy(nb)
    clear.enforce_metadata = False
    for index, cell in enumerate(notebook.cells):
        # An answer that is graded manually is the student's own, with any markers in it.
        if utils.is_grade(cell) and not utils.is_solution(cell):
            _clear(cell, index, clear)
    return notebook


def _clear(cell: NotebookNode, index: int, clear: Any) -> None:
    before = cell.source
    try:
        clear.preprocess_cell(cell, {}, index)
    except RuntimeError:
        cell.source = _OMITTED_SOURCE
    if cell.source != before and cell.get("outputs"):
        cell.outputs = [new_output("stream", name="stdout", text=_OMITTED_OUTPUT)]
