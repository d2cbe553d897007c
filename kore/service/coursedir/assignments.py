"""Which assignments a course has, as folders below ``source``."""

from __future__ import annotations

from pathlib import Path

from kore.service.coursedir.layout import SOURCE
from kore.service.coursedir.openat import Entry
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError

_IGNORED = frozenset({"__pycache__", ".ipynb_checkpoints", ".pytest_cache"})
_IGNORED_ENDING = ".pyc"


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is something that programs leave behind."""
    return name in _IGNORED or name.endswith(_IGNORED_ENDING)


def is_assignment(entry: Entry) -> bool:
    """Whether something in ``source`` is an assignment: a folder, neither hidden nor ignored."""
    name = entry.path.rpartition("/")[2]
    hidden = name.startswith(".") or is_ignored(name)
    return entry.is_dir and not entry.is_special and not hidden


def list_assignments(tree: SafeTree) -> list[str]:
    """Return the names of a course's assignments, sorted. Raises KoreError and OSError."""
    entries = tree.list_folder(SOURCE)
    return [entry.path.rpartition("/")[2] for entry in entries if is_assignment(entry)]


def find_assignments(root: Path) -> list[str]:
    """Return the names of a course's assignments, sorted; none where they cannot be read."""
    try:
        with SafeTree(root) as tree:
            return list_assignments(tree)
    except (OSError, KoreError):
        return []
