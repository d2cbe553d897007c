"""Files of an assignment as they are copied: which, how large, whether two are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kore.copying import notebooks
from kore.copying.references import referred, renamed
from kore.copying.shelf import IGNORED, SOURCE
from kore.descriptors import Entry, odd
from kore.errors import KoreError
from kore.names import NOTEBOOK, shown, why_path_unfit
from kore.trees import Tree

MOST_FILES = 2000
_IGNORED_ENDING = ".pyc"
_MOST_MODULE = _PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file of an assignment: its path within, its size in bytes."""

    path: str
    size: int

    @property
    def is_problem(self) -> bool:
        """Say whether it is a notebook that nbgrader grades: right in the assignment."""
        return self.path.endswith(NOTEBOOK) and "/" not in self.path


def place_of(assignment: str, path: str = "") -> str:
    """Return where an assignment lies below a course's root, or a file of it."""
    return f"{SOURCE}/{assignment}/{path}" if path else f"{SOURCE}/{assignment}"


def files_of(tree: Tree, assignment: str) -> list[File]:
    """List the files of an assignment but for what programs leave behind.

    Raises KoreError for a link or another odd thing in it, for a name that cannot be handed
    out, and where there are too many.
    """
    place = place_of(assignment)
    found: list[File] = []
    left = ""
    for entry in tree.walk(place, most=MOST_FILES):
        if left and entry.path.startswith(left):
            continue
        if _is_ignored(entry):
            left = entry.path + "/"
            continue
        if entry.odd:
            raise odd(entry.path)
        path = entry.path.removeprefix(place + "/")
        if why := why_path_unfit(path):
            raise KoreError(
                422,
                "bad_name",
                f"The name {shown(path)} in {shown(assignment)} {why}.",
                "Give it another name, then try again.",
            )
        if not entry.is_dir:
            found.append(File(path, entry.size))
    return found


def notebook(tree: Tree, assignment: str, name: str) -> bytes:
    """Return a problem's notebook. Raises KoreError, also where it is too large."""
    path = place_of(assignment, name + NOTEBOOK)
    found = tree.look(path)
    if found is not None and found.size > notebooks.MOST_BYTES:
        raise notebooks.unreadable(notebooks.TOO_LARGE)
    return tree.read_bytes(path, most=notebooks.MOST_BYTES)


class Surroundings:
    """The files around a problem, in its assignment."""

    def __init__(self, tree: Tree, assignment: str) -> None:
        self._tree, self._assignment = tree, assignment
        files = files_of(tree, assignment)
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
        place = place_of(self._assignment, path)
        return self._tree.read_bytes(place, most=_MOST_MODULE).decode("utf-8", "replace")


def renamed_in(tree: Tree, assignment: str, content: bytes, names: dict[str, str]) -> bytes:
    """Return a notebook that refers to files by other names. Raises KoreError 409."""
    notebook = notebooks.parsed(content)
    if Surroundings(tree, assignment).renaming(notebook, names):
        raise KoreError(
            409, "changed_meanwhile", "The problem has changed while it was copied.", "Try again."
        )
    return notebooks.written(notebook)


def same(one: Tree, path: str, other: Tree, other_path: str) -> bool:
    """Say whether two files have the same content."""
    with one.open(path) as mine, other.open(other_path) as theirs:
        while True:
            piece = mine.read(_PIECE)
            if piece != theirs.read(_PIECE):
                return False
            if not piece:
                return True


def _is_ignored(entry: Entry) -> bool:
    name = entry.path.rpartition("/")[2]
    return name in IGNORED or name.endswith(_IGNORED_ENDING)
