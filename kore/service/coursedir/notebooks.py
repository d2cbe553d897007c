"""Reads notebooks that anyone may have written: title, points, cells.

Only the few fields that a list and a preview need are read, each checked for its type: the
file may not be JSON at all, of another format, huge, or nested without end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kore.service.errors import Invalid
from kore.shared.messages import Message, message

MAX_BYTES = 10 * 1024 * 1024
"""Larger notebooks are not read: as objects they take twenty times their size."""
FORMAT = 4
_MAX_TITLE = 200
_MAX_LINES = 2000
_MAX_PREVIEW_BYTES, _MAX_PREVIEW_CELLS = 200_000, 1000
_FENCES = ("```", "~~~")
_MAX_HEADING = 6

Kind = Literal["markdown", "code", "raw"]
CellRole = Literal["text", "solution", "tests", "task", "read_only"]


class NotebookUnreadable(Invalid):
    """A notebook that Kore cannot work with. ``fault`` is the predicate of a sentence about it."""

    def __init__(self, fault: Message, notebook: str = "") -> None:
        self.fault = fault
        if notebook:
            super().__init__("notebook_unreadable.named", notebook=notebook, reason=fault)
        else:
            super().__init__("notebook_unreadable", reason=fault)


@dataclass(frozen=True, slots=True)
class Summary:
    """A notebook in a line. ``points`` is None where they are unknown, and ``fault`` says why."""

    title: str = ""
    points: float | None = None
    cells: int = 0
    fault: Message | None = None


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """One cell as text. ``points`` is None where it is not graded."""

    kind: Kind
    role: CellRole
    points: float | None
    text: str


def too_large() -> Message:
    """Return the fault of a notebook that is too large to be read."""
    return message("notebook_fault.too_large", limit=MAX_BYTES)


def parse_notebook(content: bytes) -> dict[str, Any]:
    """Return a notebook as JSON has it, with a list of cells that are objects.

    Raises NotebookUnreadable for anything else.
    """
    if len(content) > MAX_BYTES:
        raise NotebookUnreadable(too_large())
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise _unreadable("nested") from error
    except ValueError as error:
        raise _unreadable("no_json") from error
    if not isinstance(found, dict):
        raise _unreadable("no_notebook")
    if found.get("nbformat") != FORMAT or found["nbformat"] is True:
        raise NotebookUnreadable(message("notebook_fault.format", format=FORMAT))
    cells = found.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise _unreadable("no_cells")
    return found


def _unreadable(fault: str) -> NotebookUnreadable:
    return NotebookUnreadable(message(f"notebook_fault.{fault}"))


def serialize_notebook(notebook: dict[str, Any]) -> bytes:
    """Return a notebook as a file, in the form that Jupyter writes."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def summarize(content: bytes) -> Summary:
    """Return what a list shows of a notebook; never raises."""
    try:
        notebook = parse_notebook(content)
    except NotebookUnreadable as error:
        return Summary(fault=error.fault)
    cells = notebook["cells"]
    total = 0.0
    for cell in cells:
        try:
            total += read_points(cell) or 0
        except ValueError:
            fault = message("notebook_fault.cell_points")
            return Summary(_find_title(cells), None, len(cells), fault)
    # Finite each, but not always all together.
    return Summary(_find_title(cells), total if math.isfinite(total) else None, len(cells))


def preview_cells(content: bytes) -> tuple[list[PreviewCell], bool]:
    """Return the cells as text, and whether some of it was left out.

    Raises NotebookUnreadable.
    """
    left, made = _MAX_PREVIEW_BYTES, []
    cells = parse_notebook(content)["cells"]
    for cell in cells[:_MAX_PREVIEW_CELLS]:
        kind = cell.get("cell_type")
        text = read_source(cell)
        cut = text.encode()[:left].decode("utf-8", "ignore")
        left -= len(cut.encode())
        made.append(
            PreviewCell(
                "code" if kind == "code" else "markdown" if kind == "markdown" else "raw",
                _find_role(cell),
                _find_points(cell),
                cut,
            )
        )
        if cut != text:
            return made, True
    return made, len(cells) > len(made)


def nbgrader_metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what nbgrader keeps in a cell; empty where it keeps nothing, or no object."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def read_points(cell: dict[str, Any]) -> float | None:
    """Return a cell's points; None where it is not graded. Raises ValueError for anything else.

    As nbgrader reads them: the oldest notebooks have text there, and nothing means none.
    """
    metadata = nbgrader_metadata(cell)
    if not (metadata.get("grade") is True or metadata.get("task") is True):
        return None
    value = metadata.get("points", 0)
    try:
        points = math.nan if isinstance(value, bool) else float(value or 0)
    except (TypeError, OverflowError):
        points = math.nan
    if not math.isfinite(points):
        raise ValueError("points are no number")
    return max(points, 0.0)


def read_source(cell: dict[str, Any]) -> str:
    """Return a cell's source, as text that can be encoded."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return _make_encodable(source) if isinstance(source, str) else ""


def _find_points(cell: dict[str, Any]) -> float | None:
    try:
        return read_points(cell)
    except ValueError:
        return None


def _find_role(cell: dict[str, Any]) -> CellRole:
    metadata = nbgrader_metadata(cell)
    if metadata.get("task") is True:
        return "task"
    if metadata.get("solution") is True:
        return "solution"
    if metadata.get("grade") is True:
        return "tests"
    return "read_only" if metadata.get("locked") is True else "text"


def _find_title(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        if cell.get("cell_type") == "markdown":
            for heading in _find_headings(read_source(cell)):
                return heading
    return ""


def _find_headings(text: str) -> Iterator[str]:
    """Yield the headings of Markdown, in both of its forms, except those in code blocks."""
    fence, above = "", ""
    for line in text.splitlines()[:_MAX_LINES]:
        bare = line.strip()
        if fence:
            fence = "" if bare.startswith(fence) else fence
            continue
        if bare.startswith(_FENCES):
            fence, above = bare[:3], ""
            continue
        if line.startswith(("    ", "\t")):
            above = ""
            continue
        marks = len(bare) - len(bare.lstrip("#"))
        heading = ""
        if 0 < marks <= _MAX_HEADING and bare[marks : marks + 1] in {" ", "\t"}:
            heading = bare.strip("#")
        elif above and bare and not bare.strip("="):
            heading = above
        if heading := _clean_heading(heading):
            yield heading
        above = bare


def _clean_heading(text: str) -> str:
    """Return a heading as a line of text, without emphasis."""
    visible = "".join(c for c in text if c.isprintable() and c not in "*`")
    return " ".join(visible.split())[:_MAX_TITLE]


def _make_encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
