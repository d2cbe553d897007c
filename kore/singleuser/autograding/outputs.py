"""Validates an executor's answer: outputs of the kinds that notebooks have, nothing else.

A student's code may control whatever runs next to it. So an answer can set a cell's outputs and
execution count, never the cell itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode, from_dict

_MAX_OUTPUTS = 10_000
_MAX_DEPTH = 60
_KIND = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+/=; -]{0,150}")
_LANGUAGE = re.compile(r"[\w.+#/ -]{1,100}")
_LANGUAGE_NAMES = ("name", "version", "mimetype", "file_extension", "pygments_lexer")


class AnswerError(Exception):
    """An answer is not valid. The message says why."""


def parse_answer(raw: bytes) -> dict[str, Any]:
    """Return an answer as a JSON object. Raises AnswerError."""
    try:
        answer = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AnswerError("The executor's answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise AnswerError("The executor's answer is not a JSON object.")
    return answer


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def apply_outputs(notebook: NotebookNode, answer: Mapping[str, Any]) -> None:
    """Put an answer's outputs into the notebook that was sent. Raises AnswerError."""
    cells = answer.get("cells")
    if not isinstance(cells, list) or len(cells) != len(notebook.cells):
        raise AnswerError("The executor's answer has other cells than the notebook.")
    made = [_cell(cell) for cell in cells]
    for cell, (count, outputs) in zip(notebook.cells, made, strict=True):
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = count, outputs
    language = _language(answer.get("language_info"))
    if language:
        notebook.metadata["language_info"] = language


def _cell(given: Any) -> tuple[int | None, list[NotebookNode]]:
    if not isinstance(given, Mapping):
        raise AnswerError("A cell in the executor's answer is not an object.")
    outputs = given.get("outputs", [])
    if not isinstance(outputs, list) or len(outputs) > _MAX_OUTPUTS:
        raise AnswerError(f"A cell has more than {_MAX_OUTPUTS} outputs, or they are not a list.")
    return _count(given.get("execution_count")), [_output(one) for one in outputs]


def _output(given: Any) -> NotebookNode:
    kind = given.get("output_type") if isinstance(given, Mapping) else None
    made: dict[str, Any]
    if kind == "stream":
        name = "stderr" if given.get("name") == "stderr" else "stdout"
        made = {"name": name, "text": _text(given.get("text"))}
    elif kind == "error":
        lines = given.get("traceback")
        made = {
            "ename": _text(given.get("ename")),
            "evalue": _text(given.get("evalue")),
            "traceback": [_text(line) for line in lines] if isinstance(lines, list) else [],
        }
    elif kind in {"display_data", "execute_result"}:
        data, about = given.get("data"), given.get("metadata")
        made = {"data": _bundle(data), "metadata": _bundle(about)}
        if kind == "execute_result":
            made["execution_count"] = _count(given.get("execution_count"))
    else:
        raise AnswerError("The executor's answer has an output of an unknown kind.")
    return from_dict({"output_type": kind, **made})


def _bundle(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {}
    return {name: _check_json(value) for name, value in given.items() if _KIND.fullmatch(name)}


def _check_json(value: Any, depth: int = 0) -> Any:
    """Return JSON that is not nested too deeply for its readers. Raises AnswerError."""
    if depth > _MAX_DEPTH:
        raise AnswerError("An output is nested too deeply.")
    if isinstance(value, dict):
        return {_text(name): _check_json(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_check_json(inner, depth + 1) for inner in value]
    return _text(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    # JSON may have lone surrogates, which cannot be written to a file.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if known else None


def _language(given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        return {}
    return {
        name: value
        for name in _LANGUAGE_NAMES
        if isinstance(value := given.get(name), str) and _LANGUAGE.fullmatch(value)
    }
