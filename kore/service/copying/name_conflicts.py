"""Names that are in the way of a copy, as file systems and nbgrader tell them apart."""

from __future__ import annotations

from typing import Literal

from kore.service.coursedir.layout import source_path
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Conflict, Invalid
from kore.shared.names import find_free_name, find_title_fault, twin_key


class TakenNames:
    """Names that are taken already, as file systems tell them apart."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self._keys = {twin_key(name): name for name in names}

    def has(self, name: str) -> bool:
        """Whether this name is taken, or one that some system takes for it."""
        return twin_key(name) in self._keys

    def add(self, name: str) -> None:
        """Take a name."""
        self._keys[twin_key(name)] = name

    def refuse_twin(self, name: str) -> None:
        """Raise Conflict where another spelling of a name is taken."""
        other = self._keys.get(twin_key(name), name)
        if other != name:
            raise name_taken(name, other)


def check_title(name: str, kind: Literal["assignment", "problem"]) -> None:
    """Raise Invalid for a name that an assignment or a problem should not get."""
    if fault := find_title_fault(name):
        raise Invalid(f"bad_name.copied_{kind}", name=name, reason=fault)


def find_free_path(target: SafeTree, into: str, path: str) -> str:
    """Return a path in the same folder of an assignment that is not taken."""
    folder, _, name = path.rpartition("/")
    entries = target.list_folder(source_path(into, folder))
    taken = TakenNames({entry.path.rpartition("/")[2] for entry in entries})
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    free = find_free_name(stem, lambda wanted: taken.has(wanted + dot + ending)) + dot + ending
    return f"{folder}/{free}" if folder else free


def name_taken(name: str, other: str) -> Conflict:
    """Return the error for a name of which another spelling is taken."""
    return Conflict("name_taken.twin", name=name, other=other)
