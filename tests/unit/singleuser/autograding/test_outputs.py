"""Validating an executor's answer."""

from __future__ import annotations

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kore.singleuser.autograding import outputs


def apply(*cells, **more):
    notebook = new_notebook(cells=[new_code_cell("1 + 1"), new_markdown_cell("text")])
    outputs.apply_outputs(notebook, {"cells": [*cells, {}], **more})
    return notebook


def test_outputs_are_rebuilt():
    """Unknown fields of outputs are dropped; source and metadata cannot be changed."""
    notebook = apply(
        {
            "source": "forged",
            "metadata": {"nbgrader": {"points": 100}},
            "execution_count": 2**40,
            "outputs": [
                {"output_type": "stream", "name": "evil", "text": "a\ud800", "transient": 1},
                {"output_type": "display_data", "data": {"text/plain": "x", "\n": "y"}},
            ],
        },
        language_info={"name": "python", "version": "<script>", "extra": {}},
    )
    cell = notebook.cells[0]
    assert (cell.source, cell.metadata, cell.execution_count) == ("1 + 1", {}, None)
    assert cell.outputs[0] == {"output_type": "stream", "name": "stdout", "text": "a?"}
    assert cell.outputs[1].data == {"text/plain": "x"}
    assert notebook.metadata.language_info == {"name": "python"}


@pytest.mark.parametrize(
    "cells",
    [
        None,
        [{}],
        [{"outputs": "x"}, {}],
        [{"outputs": [{"output_type": "input"}]}, {}],
        [{"outputs": [7]}, {}],
        [{"outputs": [{"output_type": "stream", "text": "x"}] * 10_001}, {}],
        [7, {}],
    ],
)
def test_invalid_answers_are_refused(cells):
    """An answer with other cells, or with outputs of unknown types, is refused."""
    notebook = new_notebook(cells=[new_code_cell("1"), new_markdown_cell("text")])
    with pytest.raises(outputs.AnswerError):
        outputs.apply_outputs(notebook, {"cells": cells})
    assert notebook.cells[0].outputs == []


def test_deep_and_invalid_json_is_refused():
    """Excessive nesting, and numbers that JSON does not have, are refused."""
    deep: list = []
    for _ in range(100):
        deep = [deep]
    data = {"output_type": "display_data", "data": {"application/json": deep}}
    with pytest.raises(outputs.AnswerError):
        apply({"outputs": [data]})
    for raw in (b"[" * 10**6, b"[]", b'{"a": NaN}', b"{", b"\xff", b"1" * 10_000):
        with pytest.raises(outputs.AnswerError):
            outputs.parse_answer(raw)
    assert outputs.parse_answer(json.dumps({"cells": []}).encode()) == {"cells": []}
