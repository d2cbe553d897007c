"""Rebuilds an untrusted notebook with only what a page needs, in the types that it expects.

Templates of nbconvert and nbgrader write many of a notebook's values into a page unescaped. So
only text, numbers and images of the given notebook reach them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from kore.singleuser.formgrader.markup import sanitise_html

_GRADE_ID = re.compile(r"[A-Za-z0-9_\-]+")
"""nbgrader's own rule for the ids of cells."""

_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.\- ]{1,40}")
_ATTACHMENT = re.compile(r"[^\x00-\x1f<>\"'&/\\]{1,200}")
_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_FLAGS = ("grade", "solution", "task", "locked")
_POINTS = ("points", "score")
_MAX_SIDE = 10_000


def rebuild_notebook(notebook: Any) -> NotebookNode:
    """Return a notebook that looks like the given one and is harmless."""
    cells = notebook.get("cells")
    made = new_notebook(
        cells=[
            _cell(cell, number)
            for number, cell in enumerate(cells if isinstance(cells, list) else [])
            if isinstance(cell, Mapping)
        ]
    )
    language = _at(notebook, "metadata", "language_info", "name")
    if isinstance(language, str) and _LANGUAGE.fullmatch(language):
        made.metadata.language_info = NotebookNode(name=language)
    return made


def _cell(cell: Mapping[str, Any], number: int) -> NotebookNode:
    source = _text(cell.get("source"))
    kind = cell.get("cell_type")
    if kind == "code":
        made = new_code_cell(
            source,
            execution_count=_count(cell.get("execution_count")),
            outputs=list(_outputs(cell.get("outputs"))),
        )
    elif kind == "markdown":
        made = new_markdown_cell(source)
        attachments = _attachments(cell.get("attachments"))
        if attachments:
            made.attachments = attachments
    else:
        made = new_raw_cell(source)
    made.id = f"cell-{number}"
    grading = _at(cell, "metadata", "nbgrader")
    if isinstance(grading, Mapping):
        known = _grading(grading)
        if known:
            made.metadata.nbgrader = known
    return made


def _grading(given: Mapping[str, Any]) -> NotebookNode:
    """Return a cell's nbgrader metadata; empty unless the cell has a valid id."""
    name = given.get("grade_id")
    if not isinstance(name, str) or not _GRADE_ID.fullmatch(name):
        return NotebookNode()
    made = NotebookNode(grade_id=name, schema_version=3)
    for flag in _FLAGS:
        made[flag] = given.get(flag) is True
    for key in _POINTS:
        made[key] = _number(given.get(key))
    if isinstance(given.get("comment"), str):
        made.comment = given["comment"]
    return made


def _outputs(outputs: Any) -> Iterator[NotebookNode]:
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, Mapping):
            continue
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            yield new_output("stream", name=name, text=_text(output.get("text")))
        elif kind == "error":
            lines = output.get("traceback")
            yield new_output(
                "error",
                ename=_text(output.get("ename")),
                evalue=_text(output.get("evalue")),
                traceback=[_text(line) for line in lines] if isinstance(lines, list) else [],
            )
        elif kind in {"display_data", "execute_result"}:
            yield _display(str(kind), output)


def _display(kind: str, output: Mapping[str, Any]) -> NotebookNode:
    given = output.get("data")
    data: dict[str, str] = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        clean = _CLEANERS.get(name)
        cleaned = clean(value) if clean else None
        if cleaned is not None:
            data[name] = cleaned
    if not data:
        data["text/plain"] = "[This output is not shown: its type could contain scripts.]"
    made = new_output(kind, data=data)
    for name in ("image/png", "image/jpeg"):
        sizes = {
            side: value
            for side in ("width", "height")
            if (value := _side(_at(output, "metadata", name, side))) is not None
        }
        if sizes:
            made.metadata[name] = NotebookNode(sizes)
    if kind == "execute_result":
        made.execution_count = _count(output.get("execution_count"))
    return made


def _html(value: Any) -> str | None:
    return sanitise_html(_text(value))


def _image(value: Any) -> str | None:
    text = "".join(_text(value).split())
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return text


def _text(value: Any) -> str:
    """Return text from a string or a list of lines, as notebooks have it."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


# Markdown becomes HTML later and is sanitised then. SVG is shown as an image, which runs
# no scripts and loads nothing (SVG 2, section 2.7, secure static mode).
_CLEANERS: dict[str, Callable[[Any], str | None]] = {
    "text/plain": _text,
    "text/latex": _text,
    "text/markdown": _text,
    "text/html": _html,
    "image/svg+xml": _text,
    "image/png": _image,
    "image/jpeg": _image,
}


def _attachments(given: Any) -> NotebookNode:
    made = NotebookNode()
    for name, bundle in given.items() if isinstance(given, Mapping) else ():
        if not _ATTACHMENT.fullmatch(str(name)) or not isinstance(bundle, Mapping):
            continue
        for kind in _IMAGE_TYPES:
            image = _image(bundle.get(kind)) if kind in bundle else None
            if image:
                made[str(name)] = NotebookNode({kind: image})
                break
    return made


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _side(value: Any) -> int | None:
    number = _count(value)
    return number if number is not None and 0 < number <= _MAX_SIDE else None


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if math.isfinite(number) else 0.0
