"""What is believed of an answer: outputs of the kinds that notebooks have, and nothing else.

Whatever runs beside a student's code may be the student's. So an answer can say what a cell
put out, and how often it ran: never what a cell is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode, from_dict

_MOST_OUTPUTS = 10_000
_MOST_DEPTH = 60
_KIND = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+/=; -]{0,150}")
_LANGUAGE = re.compile(r"[\w.+#/ -]{1,100}")
_LANGUAGE_NAMES = ("name", "version", "mimetype", "file_extension", "pygments_lexer")


class AnswerError(Exception):
    """An answer is not one; in words."""


def read(raw: bytes) -> dict[str, Any]:
    """Return an answer as it was sent. Raises AnswerError."""
    try:
        answer = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise AnswerError("The answer of the executor is no JSON.") from error
    if not isinstance(answer, dict):
        raise AnswerError("The answer of the executor is no object.")
    return answer


def _no_constant(name: str) -> None:
    raise ValueError(name)


def take_over(notebook: NotebookNode, answer: Mapping[str, Any]) -> None:
    """Put an answer's outputs into the notebook that was sent. Raises AnswerError."""
    cells = answer.get("cells")
    if not isinstance(cells, list) or len(cells) != len(notebook.cells):
        raise AnswerError("The executor answers with other cells than it was sent.")
    made = [_cell(cell) for cell in cells]
    for cell, (count, outputs) in zip(notebook.cells, made, strict=True):
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = count, outputs
    language = _language(answer.get("language_info"))
    if language:
        notebook.metadata["language_info"] = language


def _cell(given: Any) -> tuple[int | None, list[NotebookNode]]:
    if not isinstance(given, Mapping):
        raise AnswerError("A cell of the executor's answer is none.")
    outputs = given.get("outputs", [])
    if not isinstance(outputs, list) or len(outputs) > _MOST_OUTPUTS:
        raise AnswerError(f"A cell has more than {_MOST_OUTPUTS} outputs, or none that is one.")
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
        raise AnswerError("The executor answers with an output of no known kind.")
    return from_dict({"output_type": kind, **made})


def _bundle(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return {}
    return {name: _plain(value) for name, value in given.items() if _KIND.fullmatch(name)}


def _plain(value: Any, depth: int = 0) -> Any:
    """Return JSON that is not too deep for whatever walks through it later."""
    if depth > _MOST_DEPTH:
        raise AnswerError("An output is nested too deeply.")
    if isinstance(value, dict):
        return {_text(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return _text(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    # A lone surrogate is JSON, but no text that could be written to a file.
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
