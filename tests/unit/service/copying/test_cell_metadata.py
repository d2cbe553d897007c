"""nbgrader's metadata in copied notebooks: upgraded, unique, valid, else untouched."""

from __future__ import annotations

import json

import pytest

from kore.service.copying.cell_metadata import fit_notebook, read_cell_ids
from kore.service.coursedir.notebooks import NotebookUnreadable
from tests.support import notebooks


def encode(notebook) -> bytes:
    return json.dumps(notebook).encode()


def test_a_notebook_that_fits_is_copied_byte_by_byte():
    """Its cell ids are taken from then on."""
    content, taken = encode(notebooks.assignment()), {"other"}
    assert fit_notebook(content, taken) == content
    assert taken == {"other", "square", "test-square"}


def test_cell_ids_that_are_taken_get_a_number():
    """Also where another cell of the notebook has that number already."""
    book = notebooks.assignment(manual=1)
    book["cells"][3]["metadata"]["nbgrader"]["grade_id"] = "square-2"
    fitted = fit_notebook(encode(book), {"square"})
    assert read_cell_ids(fitted) == {"square-3", "test-square", "square-2"}
    points = [cell["metadata"].get("nbgrader", {}).get("points") for cell in book["cells"]]
    again = json.loads(fitted)["cells"]
    assert [cell["metadata"].get("nbgrader", {}).get("points") for cell in again] == points


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda cell: cell.update(cell_type="widget"), "cell"),
        (lambda cell: cell.update(source=7), "cell"),
        (lambda cell: cell.update(source="\ud800"), "characters"),
        (lambda cell: cell["metadata"].update(nbgrader=["x"]), "cell"),
        (lambda cell: cell["metadata"]["nbgrader"].update(schema_version="x"), "metadata"),
        (lambda cell: cell["metadata"]["nbgrader"].update(grade_id=""), "nbgrader"),
        (lambda cell: cell["metadata"]["nbgrader"].update(points="many"), "cell_points"),
    ],
)
def test_what_nbgrader_could_not_use_is_refused(change, fault):
    """With what is wrong, and nothing is copied."""
    book = notebooks.assignment()
    change(book["cells"][2])
    with pytest.raises(NotebookUnreadable) as refused:
        fit_notebook(encode(book), set())
    assert refused.value.fault.id == f"notebook_fault.{fault}"
