"""Names in the way of a copy, as file systems and nbgrader tell them apart."""

from __future__ import annotations

from kore.service.catalog import render
from kore.service.coursedir.layout import source_path
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError
from kore.shared.names import find_free_name, find_title_fault, shown, twin_key


class Taken:
    """Names that something has already, as file systems tell them apart."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self._keys = {twin_key(name): name for name in names}

    def has(self, name: str) -> bool:
        """Say whether something has this name, or one that some system takes for it."""
        return twin_key(name) in self._keys

    def add(self, name: str) -> None:
        """Take a name."""
        self._keys[twin_key(name)] = name

    def refuse_twin(self, name: str) -> None:
        """Raise KoreError 409 where another spelling of a name is taken."""
        other = self._keys.get(twin_key(name), name)
        if other != name:
            raise taken_by_other(name, other)


def refuse_unfit(name: str, kind: str) -> None:
    """Raise KoreError 422 for a name that an assignment or a problem should not get."""
    if fault := find_title_fault(name):
        raise KoreError(
            422,
            "bad_name",
            f"The {kind}'s name {shown(name)} {render(fault)}.",
            "Give it another name first, or copy it under another one.",
        )


def about(where: str, error: KoreError) -> KoreError:
    """Return an error that says which notebook or assignment it is about."""
    return type(error)(error.status or 422, error.code, f"{shown(where)}: {error}", error.hint)


def free_path(target: SafeTree, into: str, path: str) -> str:
    """Return a path in the same folder that nothing has yet."""
    folder, _, name = path.rpartition("/")
    entries = target.list_folder(source_path(into, folder))
    taken = Taken({entry.path.rpartition("/")[2] for entry in entries})
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    free = find_free_name(stem, lambda wanted: taken.has(wanted + dot + ending)) + dot + ending
    return f"{folder}/{free}" if folder else free


def taken_by_other(name: str, other: str) -> KoreError:
    """Return the error for a name of which another spelling is taken."""
    return KoreError(
        409,
        "name_taken",
        f"The course has {shown(other)}, which some systems take for {shown(name)}.",
        "Keep both, or rename one of them.",
    )
