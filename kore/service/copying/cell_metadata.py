"""nbgrader's marks in the cells of a notebook that is copied: brought up to date, checked.

Upgrading and checking are nbgrader's own. Cell ids are made unique within the assignment that
the notebook comes into; points stay as they are. A notebook in which nothing has to change is
copied byte by byte.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import nbformat
from jsonschema import ValidationError
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.nbgraderformat.common import SchemaMismatchError

from kore.service.coursedir.notebooks import (
    nbgrader_of,
    parsed,
    summary,
    unreadable,
    written,
)
from kore.shared.names import shown

_KINDS = ("code", "markdown", "raw")


def fitted(content: bytes, taken: set[str]) -> bytes:
    """Return a notebook as it can stand in an assignment; add its cell ids to ``taken``.

    Raises KoreError ``notebook_unreadable`` with nbgrader's reason where it is not valid.
    """
    notebook = parsed(content)
    told = summary(content)
    if told.points is None:
        raise unreadable(told.trouble or "has more points than can be counted")
    for number, cell in enumerate(notebook["cells"], 1):
        _check(cell, number)
    before = [json.dumps(nbgrader_of(cell), sort_keys=True) for cell in notebook["cells"]]
    try:
        upgraded = nbformat.from_dict(notebook)
        _validator().upgrade_notebook_metadata(upgraded)
        _rename(upgraded, taken)
        _validator().validate_nb(upgraded)
    except (ValidationError, SchemaMismatchError) as error:
        reason = str(getattr(error, "message", "") or error).splitlines()[0]
        raise unreadable(f"is refused by nbgrader's own check: {shown(reason)}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise unreadable("has marks of nbgrader's that nbgrader cannot read") from error
    changed = False
    for cell, new, old in zip(notebook["cells"], upgraded.cells, before, strict=True):
        marks = dict(new.metadata.get("nbgrader") or {})
        if json.dumps(marks, sort_keys=True) != old:
            changed = True
            cell["metadata"].pop("nbgrader", None)
            if marks:
                cell["metadata"]["nbgrader"] = marks
    if not changed:
        return content
    return written(notebook)


def ids(content: bytes) -> set[str]:
    """Return the cell ids of a notebook that is there already."""
    marks = [nbgrader_of(cell) for cell in parsed(content)["cells"]]
    return {mark["grade_id"] for mark in marks if isinstance(mark.get("grade_id"), str)}


@cache
def _validator() -> Any:
    return MetadataValidator()


def _check(cell: dict[str, Any], number: int) -> None:
    """Refuse a cell that nbgrader would fall over."""
    kind, source, metadata = cell.get("cell_type"), cell.get("source"), cell.get("metadata")
    lines: list[Any] = source if isinstance(source, list) else [source]
    if (
        kind not in _KINDS
        or not isinstance(metadata, dict)
        or not isinstance(metadata.get("nbgrader", {}), dict)
        or not all(isinstance(line, str) for line in lines)
    ):
        raise unreadable(f"has a cell (number {number}) that is none of notebook format 4")
    try:
        "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise unreadable(f"has characters in cell {number} that are none") from error


def _rename(notebook: Any, taken: set[str]) -> None:
    """Give another id to cells whose own is taken, by an earlier cell or another notebook."""
    own = {nbgrader_of(cell).get("grade_id") for cell in notebook.cells}
    for cell in notebook.cells:
        marks = nbgrader_of(cell)
        wanted = marks.get("grade_id")
        if not isinstance(wanted, str) or not wanted:
            continue
        name, number = wanted, 1
        while name in taken or (number > 1 and name in own):
            number += 1
            name = f"{wanted}-{number}"
        marks["grade_id"] = name
        taken.add(name)
