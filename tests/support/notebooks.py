"""Notebooks as a teacher writes them and a student fills them in."""

from __future__ import annotations

from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def _marked(cell: Any, grade_id: str, *, points: float | None, solution: bool, locked: bool) -> Any:
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
        **({"points": points} if points is not None else {}),
    }
    return cell


def assignment(*, points: float = 5, manual: float | None = None) -> dict[str, Any]:
    """Return a source notebook: one function to write, tested for points; maybe one essay."""
    cells = [
        new_markdown_cell("# Squares\nWrite a function that squares its argument."),
        _marked(
            new_code_cell(
                "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
            ),
            "square",
            points=None,
            solution=True,
            locked=False,
        ),
        _marked(
            new_code_cell(
                "assert square(3) == 9\n"
                "### BEGIN HIDDEN TESTS\nassert square(-2) == 4\n### END HIDDEN TESTS"
            ),
            "test-square",
            points=points,
            solution=False,
            locked=True,
        ),
    ]
    if manual is not None:
        cells.append(
            _marked(
                new_markdown_cell("Why is it never negative?"),
                "why",
                points=manual,
                solution=True,
                locked=False,
            )
        )
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return dict(nbformat.from_dict(notebook))


def solve(notebook: dict[str, Any], source: str) -> dict[str, Any]:
    """Put a student's answer into the cell that asks for the function."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "square":
            cell["source"] = source
    return notebook
