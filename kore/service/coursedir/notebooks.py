"""What a notebook says of itself, read from bytes that anybody may have written.

Only the few fields that a list and a preview need are looked at, each for its type: the file
may be no JSON at all, of another format, huge, or nested as deep as it likes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kore.service.errors import KoreError

MOST_BYTES = 10 * 1024 * 1024
"""Larger notebooks are not read: as objects they are twenty times their size."""
FORMAT = 4
TOO_LARGE = f"is larger than {MOST_BYTES // 1024**2} MB"
_MOST_TITLE = 200
_MOST_LINES = 2000
_MOST_PREVIEW_BYTES, _MOST_PREVIEW_CELLS = 200_000, 1000
_FENCES = ("```", "~~~")
_MOST_HEADING = 6

Kind = Literal["markdown", "code", "raw"]
CellRole = Literal["text", "solution", "tests", "task", "read_only"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A notebook in a line. ``points`` is None where they cannot be told, and ``trouble`` why."""

    title: str = ""
    points: float | None = None
    cells: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """One cell as text. ``points`` is None where it is not graded."""

    kind: Kind
    role: CellRole
    points: float | None
    text: str


def unreadable(why: str) -> KoreError:
    """Return the error for a notebook that Kore cannot work with; ``why`` ends a sentence."""
    return KoreError(
        422,
        "notebook_unreadable",
        f"The notebook {why}.",
        "Open it in JupyterLab, save it there, and try again.",
    )


def parsed(content: bytes) -> dict[str, Any]:
    """Return a notebook as JSON has it, with a list of cells that are objects.

    Raises KoreError ``notebook_unreadable`` for anything else.
    """
    if len(content) > MOST_BYTES:
        raise unreadable(TOO_LARGE)
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise unreadable("is nested too deep") from error
    except ValueError as error:
        raise unreadable("is no JSON") from error
    if not isinstance(found, dict):
        raise unreadable("is JSON, but no notebook")
    if found.get("nbformat") != FORMAT or found["nbformat"] is True:
        raise unreadable(f"is not in notebook format {FORMAT}")
    cells = found.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise unreadable("has no list of cells")
    return found


def written(notebook: dict[str, Any]) -> bytes:
    """Return a notebook as a file, in the form that Jupyter writes."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def summary(content: bytes) -> Summary:
    """Return what a list says of a notebook; never raises."""
    try:
        notebook = parsed(content)
    except KoreError as error:
        return Summary(trouble=str(error))
    cells = notebook["cells"]
    total = 0.0
    for cell in cells:
        try:
            total += points_of(cell) or 0
        except ValueError:
            words = "A cell of the notebook has points that are no number."
            return Summary(_title(cells), None, len(cells), words)
    # Finite each, but not always all together.
    return Summary(_title(cells), total if math.isfinite(total) else None, len(cells))


def too_large() -> Summary:
    """Return what a list says of a notebook that is too large to be read."""
    return Summary(trouble=str(unreadable(TOO_LARGE)))


def preview(content: bytes) -> tuple[list[PreviewCell], bool]:
    """Return the cells as text, and whether some of it was left out.

    Raises KoreError ``notebook_unreadable``.
    """
    left, made = _MOST_PREVIEW_BYTES, []
    cells = parsed(content)["cells"]
    for cell in cells[:_MOST_PREVIEW_CELLS]:
        kind = cell.get("cell_type")
        text = source_of(cell)
        cut = text.encode()[:left].decode("utf-8", "ignore")
        left -= len(cut.encode())
        made.append(
            PreviewCell(
                "code" if kind == "code" else "markdown" if kind == "markdown" else "raw",
                _role(cell),
                _shown(cell),
                cut,
            )
        )
        if cut != text:
            return made, True
    return made, len(cells) > len(made)


def nbgrader_of(cell: dict[str, Any]) -> dict[str, Any]:
    """Return what nbgrader keeps in a cell; empty where it keeps nothing, or no object."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def points_of(cell: dict[str, Any]) -> float | None:
    """Return a cell's points; None where it is not graded. Raises ValueError for no number.

    As nbgrader reads them: the oldest notebooks have text there, and nothing means none.
    """
    marks = nbgrader_of(cell)
    if not (marks.get("grade") is True or marks.get("task") is True):
        return None
    value = marks.get("points", 0)
    try:
        points = math.nan if isinstance(value, bool) else float(value or 0)
    except (TypeError, OverflowError):
        points = math.nan
    if not math.isfinite(points):
        raise ValueError("points are no number")
    return max(points, 0.0)


def source_of(cell: dict[str, Any]) -> str:
    """Return a cell's text, as text that can be encoded."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return _encodable(source) if isinstance(source, str) else ""


def _shown(cell: dict[str, Any]) -> float | None:
    try:
        return points_of(cell)
    except ValueError:
        return None


def _role(cell: dict[str, Any]) -> CellRole:
    marks = nbgrader_of(cell)
    if marks.get("task") is True:
        return "task"
    if marks.get("solution") is True:
        return "solution"
    if marks.get("grade") is True:
        return "tests"
    return "read_only" if marks.get("locked") is True else "text"


def _title(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        if cell.get("cell_type") == "markdown":
            for heading in _headings(source_of(cell)):
                return heading
    return ""


def _headings(text: str) -> Iterator[str]:
    """Yield the headings of Markdown, in both of its forms, but for those in code blocks."""
    fence, above = "", ""
    for line in text.splitlines()[:_MOST_LINES]:
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
        if 0 < marks <= _MOST_HEADING and bare[marks : marks + 1] in {" ", "\t"}:
            heading = bare.strip("#")
        elif above and bare and not bare.strip("="):
            heading = above
        if heading := _plain(heading):
            yield heading
        above = bare


def _plain(text: str) -> str:
    """Return a heading as a line of text, without the marks of emphasis."""
    visible = "".join(c for c in text if c.isprintable() and c not in "*`")
    return " ".join(visible.split())[:_MOST_TITLE]


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
