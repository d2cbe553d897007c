"""Problems of a source: their notebooks, and the files that these need."""

from __future__ import annotations

from typing import Any

from kore.service.copying.references import find_references, rename_reference
from kore.service.copying.source_reader import File, Reader
from kore.service.coursedir import notebooks
from kore.service.coursedir.notebooks import NotebookUnreadable
from kore.service.errors import Changed, TooLarge
from kore.shared.names import NOTEBOOK

_MAX_MODULE = 1024 * 1024


def read_notebook(reader: Reader, assignment: str, name: str) -> bytes:
    """Return a problem's notebook. Raises KoreError, also where it is too large."""
    try:
        return reader.read_file(assignment, name + NOTEBOOK, limit=notebooks.MAX_BYTES)
    except TooLarge as error:
        raise NotebookUnreadable(notebooks.too_large()) from error


class OtherFiles:
    """The files of an assignment that are not problems."""

    def __init__(self, reader: Reader, assignment: str) -> None:
        self._reader, self._assignment = reader, assignment
        files = reader.list_files(assignment)
        self._files = {file.path: file for file in files if not file.is_problem}

    def list_needed(self, notebook: dict[str, Any]) -> list[File]:
        """Return the files that a notebook needs besides itself."""
        return [self._files[path] for path in find_references(notebook, self._files, self._read)]

    def rename(self, notebook: dict[str, Any], names: dict[str, str]) -> list[str]:
        """Make a notebook refer to files by other names; return those where that is impossible."""
        for old, new in names.items():
            rename_reference(notebook, old, new)
        still = {file.path for file in self.list_needed(notebook)}
        return [old for old in names if old in still]

    def _read(self, path: str) -> str:
        if self._files[path].size > _MAX_MODULE:
            return ""
        content = self._reader.read_file(self._assignment, path, limit=_MAX_MODULE)
        return content.decode("utf-8", "replace")


def rename_files(reader: Reader, assignment: str, content: bytes, names: dict[str, str]) -> bytes:
    """Return a notebook that refers to files by other names. Raises Changed where it cannot."""
    notebook = notebooks.parse_notebook(content)
    if OtherFiles(reader, assignment).rename(notebook, names):
        raise Changed("changed_meanwhile.problem")
    return notebooks.serialize_notebook(notebook)
