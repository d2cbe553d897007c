"""A small assignment for nbgrader: one solution worth three points, one hidden check."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ASSIGNMENT = "ps1"
NOTEBOOK = "problem1"
POINTS = 3
_SOLVED = "def square(x):\n    return x * x\n"
_WRONG = "def square(x):\n    return x + x\n"


def write_source(course_root: Path, assignment: str = ASSIGNMENT) -> Path:
    """Write a teacher's source notebook into a course directory; return its path."""
    solution = new_code_cell(
        "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION\n",
        metadata={"nbgrader": _cell("square", solution=True)},
    )
    check = new_code_cell(
        "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(-2) == 4\n"
        "### END HIDDEN TESTS\n",
        metadata={"nbgrader": _cell("square-check", grade=True, points=POINTS)},
    )
    notebook = new_notebook(
        cells=[new_markdown_cell("Write a function that squares."), solution, check],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path = course_root / "source" / assignment / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def solve(path: Path, *, right: bool = True) -> None:
    """Fill in a student's notebook."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "square":
            cell.source = _SOLVED if right else _WRONG
    nbformat.write(notebook, path)


def _cell(
    name: str, *, solution: bool = False, grade: bool = False, points: int | None = None
) -> dict[str, object]:
    cell: dict[str, object] = {
        "schema_version": 3,
        "grade_id": name,
        "solution": solution,
        "grade": grade,
        "locked": grade,
        "task": False,
        "cell_type": "code",
    }
    return cell if points is None else {**cell, "points": points}
