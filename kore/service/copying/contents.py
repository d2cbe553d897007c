"""Problems of a source: their notebooks, and the files that these need."""

from __future__ import annotations

from typing import Any

from kore.service.copying.references import referred, renamed
from kore.service.copying.source_reader import File, Reader
from kore.service.coursedir import notebooks
from kore.service.errors import KoreError
from kore.shared.names import NOTEBOOK

_MOST_MODULE = 1024 * 1024


def notebook(reader: Reader, assignment: str, name: str) -> bytes:
    """Return a problem's notebook. Raises KoreError, also where it is too large."""
    try:
        return reader.read(assignment, name + NOTEBOOK, most=notebooks.MOST_BYTES)
    except KoreError as error:
        if error.code == "too_large":
            raise notebooks.unreadable(notebooks.TOO_LARGE) from error
        raise


class Surroundings:
    """The files around a problem, in its assignment."""

    def __init__(self, reader: Reader, assignment: str) -> None:
        self._reader, self._assignment = reader, assignment
        files = reader.files(assignment)
        self._files = {file.path: file for file in files if not file.is_problem}

    def needed(self, notebook: dict[str, Any]) -> list[File]:
        """List the files that a notebook needs besides itself."""
        return [self._files[path] for path in referred(notebook, self._files, self._read)]

    def renaming(self, notebook: dict[str, Any], names: dict[str, str]) -> list[str]:
        """Let a notebook refer to files by other names; return those where that cannot be."""
        for old, new in names.items():
            renamed(notebook, old, new)
        still = {file.path for file in self.needed(notebook)}
        return [old for old in names if old in still]

    def _read(self, path: str) -> str:
        if self._files[path].size > _MOST_MODULE:
            return ""
        content = self._reader.read(self._assignment, path, most=_MOST_MODULE)
        return content.decode("utf-8", "replace")


def renamed_in(reader: Reader, assignment: str, content: bytes, names: dict[str, str]) -> bytes:
    """Return a notebook that refers to files by other names. Raises KoreError 409."""
    notebook = notebooks.parsed(content)
    if Surroundings(reader, assignment).renaming(notebook, names):
        raise KoreError(
            409, "changed_meanwhile", "The problem has changed while it was copied.", "Try again."
        )
    return notebooks.written(notebook)
