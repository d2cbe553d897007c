"""Remembers what is in folders of sources, as long as they are unchanged.

A list over all courses of a teacher must not read every notebook again. So names are kept as
long as their folder is unchanged, and what a notebook says as long as the notebook is.
"Unchanged" is what the system says, not a writer: inode, size and ctime, which nobody can set.
What changed a moment ago is not remembered: another change within the same tick of the clock
would look the same.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kore.service.coursedir import notebooks
from kore.service.coursedir.assignments import list_assignments
from kore.service.coursedir.layout import SOURCE, source_path
from kore.service.coursedir.notebooks import Summary
from kore.service.coursedir.openat import Entry
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import KoreError
from kore.shared.messages import message, plain
from kore.shared.names import NOTEBOOK

_MAX_FILES = 2000
_MAX_ROOTS = 2000
_MAX_DIGESTS = 50_000
_SETTLED_NS = 100_000_000

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of an assignment: ``name`` without its ending, times in s, size in bytes."""

    name: str
    size: int
    changed_at: float
    summary: Summary


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment: its notebooks, and size and latest change of all its files."""

    name: str
    notebooks: list[Notebook]
    size: int
    changed_at: float | None

    @property
    def points(self) -> float | None:
        """The points of all notebooks; None where those of one are unknown."""
        points = [notebook.summary.points for notebook in self.notebooks]
        known = [value for value in points if value is not None]
        return sum(known) if len(known) == len(points) else None


@dataclass(slots=True)
class _Known:
    """What was seen below one root. A stamp of None cannot be relied on."""

    source: Stamp | None = None
    assignments: list[str] = field(default_factory=list)
    folders: dict[str, tuple[Stamp | None, list[str]]] = field(default_factory=dict)
    summaries: dict[tuple[str, str], tuple[Stamp | None, Summary]] = field(default_factory=dict)


class SourceCache:
    """Lists what is in folders of sources, below any number of roots."""

    def __init__(self) -> None:
        self._known: OrderedDict[Path, _Known] = OrderedDict()
        self._digests: OrderedDict[str, Summary] = OrderedDict()
        self._lock = threading.Lock()
        # One at a time: a notebook as objects can take hundreds of megabytes for a moment.
        self._parsing = threading.Lock()

    def list_assignments(self, root: Path) -> list[str]:
        """Return the assignments of a course, sorted; none where there is no course."""
        try:
            with SafeTree(root) as tree:
                return self._list_assignments(tree)
        except (OSError, KoreError):
            return []

    def list_problems(self, root: Path) -> list[tuple[str, str]]:
        """Return the notebooks of a course, sorted, each with its assignment before it."""
        try:
            with SafeTree(root) as tree:
                return [
                    (assignment, name)
                    for assignment, names in self._list_names(tree)
                    for name in names
                ]
        except (OSError, KoreError):
            return []

    def list_titles(self, root: Path) -> dict[tuple[str, str], str]:
        """Return the titles of a course's notebooks."""
        found: dict[tuple[str, str], str] = {}
        try:
            with SafeTree(root) as tree:
                known = self._find_known(tree)
                wanted = self._list_names(tree)
                files = [(inner, [name + NOTEBOOK for name in names]) for inner, names in wanted]
                for (inner, names), stamps in zip(
                    wanted, tree.read_stamps(SOURCE, files), strict=False
                ):
                    for name, stamp in zip(names, stamps, strict=True):
                        kept = known.summaries.get((inner, name))
                        if kept is None or kept[0] != stamp:
                            entry = tree.stat(source_path(inner, name + NOTEBOOK))
                            if entry is None or not _is_notebook(entry):
                                continue
                            found[inner, name] = self._read_summary(tree, entry).title
                        else:
                            found[inner, name] = kept[1].title
                if len(known.summaries) > len(found):
                    kept_now = known.summaries.copy().items()
                    known.summaries = {key: kept for key, kept in kept_now if key in found}
        except (OSError, KoreError):
            return found
        return found

    def find_assignment(self, root: Path, assignment: str) -> Assignment | None:
        """Return an assignment of a course as it is now; None where it is not there."""
        try:
            with SafeTree(root) as tree:
                return self._read_assignment(tree, _check_part(assignment))
        except (OSError, KoreError, ValueError):
            return None

    def find_notebook(self, root: Path, assignment: str, name: str) -> Notebook | None:
        """Return a notebook of a course as it is now; None where it is not there."""
        try:
            with SafeTree(root) as tree:
                entry = tree.stat(
                    f"{SOURCE}/{_check_part(assignment)}/{_check_part(name)}{NOTEBOOK}"
                )
                if entry is None or not _is_notebook(entry):
                    return None
                return self._read_notebook(tree, entry)
        except (OSError, KoreError, ValueError):
            return None

    def find_summary(self, digest: str, read: Callable[[], Summary]) -> Summary:
        """Return the summary of the content with a digest; ``read`` it where it is not known."""
        with self._lock:
            found = self._digests.get(digest)
        if found is not None:
            return found
        with self._parsing:
            found = read()
        with self._lock:
            self._digests[digest] = found
            while len(self._digests) > _MAX_DIGESTS:
                self._digests.popitem(last=False)
        return found

    def _read_assignment(self, tree: SafeTree, assignment: str) -> Assignment | None:
        place = source_path(assignment)
        found = tree.stat(place)
        if found is None or found.is_special or not found.is_dir:
            return None
        books, size, changed = [], 0, found.mtime
        try:
            for entry in tree.walk(place, limit=_MAX_FILES):
                if entry.is_special:
                    continue
                size += entry.size
                changed = max(changed, entry.mtime)
                if _is_notebook(entry) and entry.path.count("/") == 2:  # noqa: PLR2004
                    books.append(self._read_notebook(tree, entry))
        except KoreError:
            # More than anyone reads through: a list shows the first of them.
            pass
        return Assignment(assignment, books, size, changed)

    def _read_notebook(self, tree: SafeTree, entry: Entry) -> Notebook:
        name = entry.path.rpartition("/")[2].removesuffix(NOTEBOOK)
        return Notebook(name, entry.size, entry.mtime, self._read_summary(tree, entry))

    def _list_names(self, tree: SafeTree) -> list[tuple[str, list[str]]]:
        known = self._find_known(tree)
        assignments = self._list_assignments(tree)
        found: list[tuple[str, list[str]]] = []
        folders: dict[str, tuple[Stamp | None, list[str]]] = {}
        for entry in tree.stat_each(SOURCE, assignments):
            if entry is None or entry.is_special or not entry.is_dir:
                continue
            name = entry.path.rpartition("/")[2]
            kept = known.folders.get(name)
            if kept is None or kept[0] != entry.stamp:
                began = time.time_ns()
                try:
                    inner = tree.list_folder(entry.path)
                except (OSError, KoreError):
                    inner = []
                names = [e.path.rpartition("/")[2] for e in inner if _is_notebook(e)]
                kept = (_settled_stamp(entry, began), [n.removesuffix(NOTEBOOK) for n in names])
            folders[name] = kept
            found.append((name, kept[1]))
        known.folders = folders
        return found

    def _list_assignments(self, tree: SafeTree) -> list[str]:
        known = self._find_known(tree)
        entry = tree.stat(SOURCE)
        if entry is None or entry.is_special:
            return []
        if known.source == entry.stamp:
            return known.assignments
        began = time.time_ns()
        known.assignments = list_assignments(tree)
        known.source = _settled_stamp(entry, began)
        return known.assignments

    def _read_summary(self, tree: SafeTree, entry: Entry) -> Summary:
        known = self._find_known(tree).summaries
        assignment, _, name = entry.path.removeprefix(SOURCE + "/").partition("/")
        name = name.removesuffix(NOTEBOOK)
        kept = known.get((assignment, name))
        if kept is not None and kept[0] == entry.stamp:
            return kept[1]
        with self._parsing:
            kept = known.get((assignment, name))
            if kept is not None and kept[0] == entry.stamp:
                return kept[1]
            began = time.time_ns()
            found = _summarize(tree, entry)
            known[assignment, name] = (_settled_stamp(entry, began), found)
        return found

    def _find_known(self, tree: SafeTree) -> _Known:
        with self._lock:
            known = self._known.setdefault(tree.root, _Known())
            self._known.move_to_end(tree.root)
            while len(self._known) > _MAX_ROOTS:
                self._known.popitem(last=False)
            return known


def _settled_stamp(entry: Entry, began: int) -> Stamp | None:
    """Return a stamp that can be relied on; None where the next change may look the same."""
    return entry.stamp if entry.stamp[1] < began - _SETTLED_NS else None


def _check_part(name: str) -> str:
    """Return a part of a path. Raises ValueError for several parts, or none."""
    if "/" in name or not name:
        raise ValueError("not a name")
    return name


def _is_notebook(entry: Entry) -> bool:
    name = entry.path.rpartition("/")[2]
    return (
        name.endswith(NOTEBOOK)
        and name != NOTEBOOK
        and not name.startswith(".")
        and not entry.is_dir
        and not entry.is_special
    )


def _summarize(tree: SafeTree, entry: Entry) -> Summary:
    if entry.size > notebooks.MAX_BYTES:
        return Summary(fault=notebooks.too_large())
    try:
        return notebooks.summarize(tree.read_bytes(entry.path, limit=notebooks.MAX_BYTES))
    except KoreError as error:
        return Summary(fault=message("notebook_fault.unavailable", reason=error.message))
    except OSError as error:
        reason = plain(error.strerror or "")
        return Summary(fault=message("notebook_fault.unavailable", reason=reason))
