"""Which assignments a course has, as folders below ``source``."""

from __future__ import annotations

from pathlib import Path

from kore.service.coursedir.layout import SOURCE
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import KoreError

_IGNORED = frozenset({"__pycache__", ".ipynb_checkpoints", ".pytest_cache"})
_IGNORED_ENDING = ".pyc"


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is something that programs leave behind."""
    return name in _IGNORED or name.endswith(_IGNORED_ENDING)


def is_assignment_name(name: str) -> bool:
    """Whether a folder of this name in ``source`` is an assignment: not hidden, not ignored."""
    return name != "" and not name.startswith(".") and not is_ignored(name)


def list_assignments(tree: SafeTree) -> list[str]:
    """Return the names of a course's assignments, sorted. Raises KoreError and OSError."""
    folders = [e for e in tree.list_folder(SOURCE) if e.is_dir and not e.is_special]
    names = [folder.path.rpartition("/")[2] for folder in folders]
    return [name for name in names if is_assignment_name(name)]


def find_assignments(root: Path) -> list[str]:
    """Return the names of a course's assignments, sorted; none where they cannot be read."""
    try:
        with SafeTree(root) as tree:
            return list_assignments(tree)
    except (OSError, KoreError):
        return []
