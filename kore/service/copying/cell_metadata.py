"""Upgrades and checks nbgrader's metadata in the cells of a notebook that is copied.

nbgrader's own code upgrades and checks. Cell ids are made unique within the assignment that
the notebook is copied into; points stay as they are. A notebook in which nothing has to change
is copied byte by byte.
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
    NotebookUnreadable,
    nbgrader_metadata,
    parse_notebook,
    serialize_notebook,
    summarize,
)
from kore.shared.messages import message

_KINDS = ("code", "markdown", "raw")


def fit_notebook(content: bytes, taken: set[str]) -> bytes:
    """Return a notebook as its new assignment can have it; add its cell ids to ``taken``.

    Raises NotebookUnreadable with nbgrader's reason where it is not valid.
    """
    notebook = parse_notebook(content)
    summary = summarize(content)
    if summary.points is None:
        raise NotebookUnreadable(summary.fault or message("notebook_fault.points"))
    for number, cell in enumerate(notebook["cells"], 1):
        _check(cell, number)
    before = [json.dumps(nbgrader_metadata(cell), sort_keys=True) for cell in notebook["cells"]]
    try:
        upgraded = nbformat.from_dict(notebook)
        _validator().upgrade_notebook_metadata(upgraded)
        _rename(upgraded, taken)
        _validator().validate_nb(upgraded)
    except (ValidationError, SchemaMismatchError) as error:
        said = str(getattr(error, "message", "") or error).splitlines()[0]
        raise NotebookUnreadable(message("notebook_fault.nbgrader", said=said)) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotebookUnreadable(message("notebook_fault.metadata")) from error
    changed = False
    for cell, new, old in zip(notebook["cells"], upgraded.cells, before, strict=True):
        metadata = dict(new.metadata.get("nbgrader") or {})
        if json.dumps(metadata, sort_keys=True) != old:
            changed = True
            cell["metadata"].pop("nbgrader", None)
            if metadata:
                cell["metadata"]["nbgrader"] = metadata
    if not changed:
        return content
    return serialize_notebook(notebook)


def read_cell_ids(content: bytes) -> set[str]:
    """Return the cell ids of a notebook that is in the assignment already."""
    ids = (nbgrader_metadata(cell).get("grade_id") for cell in parse_notebook(content)["cells"])
    return {cell_id for cell_id in ids if isinstance(cell_id, str)}


@cache
def _validator() -> Any:
    return MetadataValidator()


def _check(cell: dict[str, Any], number: int) -> None:
    """Refuse a cell that nbgrader would crash on."""
    kind, source, metadata = cell.get("cell_type"), cell.get("source"), cell.get("metadata")
    lines: list[Any] = source if isinstance(source, list) else [source]
    if (
        kind not in _KINDS
        or not isinstance(metadata, dict)
        or not isinstance(metadata.get("nbgrader", {}), dict)
        or not all(isinstance(line, str) for line in lines)
    ):
        raise NotebookUnreadable(message("notebook_fault.cell", cell=number))
    try:
        "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise NotebookUnreadable(message("notebook_fault.characters", cell=number)) from error


def _rename(notebook: Any, taken: set[str]) -> None:
    """Give another id to cells whose id is taken, by an earlier cell or another notebook."""
    own = {nbgrader_metadata(cell).get("grade_id") for cell in notebook.cells}
    for cell in notebook.cells:
        metadata = nbgrader_metadata(cell)
        wanted = metadata.get("grade_id")
        if not isinstance(wanted, str) or not wanted:
            continue
        name, number = wanted, 1
        while name in taken or (number > 1 and name in own):
            number += 1
            name = f"{wanted}-{number}"
        metadata["grade_id"] = name
        taken.add(name)
