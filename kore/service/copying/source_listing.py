"""Sources as lists show them: names, titles, points, without reading again what is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from kore.service.backups.reading import BackupSource, OpenBackup, SourceFile
from kore.service.coursedir import notebooks
from kore.service.coursedir.assignments import is_assignment_name, is_ignored
from kore.service.coursedir.cache import Assignment, Notebook, SourceCache
from kore.service.coursedir.notebooks import Summary
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.names import NOTEBOOK

# One for the process: it is right for any number of folders and backups.
_cache = SourceCache()


class SourceListing(ABC):
    """What is in a source. Nothing here raises: what cannot be read is not there."""

    @abstractmethod
    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""

    @abstractmethod
    def list_problems(self) -> list[tuple[str, str]]:
        """Return the notebooks, sorted, each with its assignment before it."""

    @abstractmethod
    def list_titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""

    @abstractmethod
    def find_assignment(self, assignment: str) -> Assignment | None:
        """Return an assignment; None where it is not there."""

    @abstractmethod
    def find_notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where it is not there."""


class CourseListing(SourceListing):
    """A course, as its folder is now."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""
        return _cache.list_assignments(self._root)

    def list_problems(self) -> list[tuple[str, str]]:
        """Return the notebooks, sorted, each with its assignment before it."""
        return _cache.list_problems(self._root)

    def list_titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""
        return _cache.list_titles(self._root)

    def find_assignment(self, assignment: str) -> Assignment | None:
        """Return an assignment; None where it is not there."""
        return _cache.find_assignment(self._root, assignment)

    def find_notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where it is not there."""
        return _cache.find_notebook(self._root, assignment, name)


class BackupListing(SourceListing):
    """A backup: its names are in the database, its notebooks are known by their digests."""

    def __init__(self, services: Services, source: BackupSource) -> None:
        self._services, self._source = services, source
        self._taken_at = source.taken_at.timestamp()
        self._files = {
            file.path: file
            for file in source.files
            if is_assignment_name(file.assignment)
            and not any(map(is_ignored, file.path.split("/")))
        }

    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""
        return sorted({file.assignment for file in self._files.values()})

    def list_problems(self) -> list[tuple[str, str]]:
        """Return the notebooks, sorted, each with its assignment before it."""
        return sorted(_split_name(file) for file in self._files.values() if _is_problem(file))

    def list_titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""
        books = [file for file in self._files.values() if _is_problem(file)]
        return {_split_name(file): self._find_summary(file).title for file in books}

    def find_assignment(self, assignment: str) -> Assignment | None:
        """Return an assignment; None where it is not there."""
        files = [file for file in self._files.values() if file.assignment == assignment]
        if not files:
            return None
        books = sorted((f for f in files if _is_problem(f)), key=lambda f: f.path)
        return Assignment(
            assignment,
            [self._describe(file) for file in books],
            sum(file.size for file in files),
            self._taken_at,
        )

    def find_notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where it is not there."""
        file = self._files.get(f"{assignment}/{name}{NOTEBOOK}")
        return self._describe(file) if file is not None and _is_problem(file) else None

    def _describe(self, file: SourceFile) -> Notebook:
        name = _split_name(file)[1]
        return Notebook(name, file.size, self._taken_at, self._find_summary(file))

    def _find_summary(self, file: SourceFile) -> Summary:
        return _cache.find_summary(file.sha256, lambda: self._summarize(file))

    def _summarize(self, file: SourceFile) -> Summary:
        if file.size > notebooks.MAX_BYTES:
            return Summary(fault=notebooks.too_large())
        try:
            with OpenBackup(self._services, self._source.id) as opened:
                return notebooks.summarize(opened.read_bytes(file, limit=notebooks.MAX_BYTES))
        except KoreError as error:
            return Summary(fault=message("notebook_fault.unavailable", reason=error.message))


def _is_problem(file: SourceFile) -> bool:
    name = file.path.rpartition("/")[2]
    return file.path.count("/") == 1 and name.endswith(NOTEBOOK) and not name.startswith(".")


def _split_name(file: SourceFile) -> tuple[str, str]:
    """Return the assignment and the name of a notebook."""
    assignment, _, name = file.path.rpartition("/")
    return assignment, name.removesuffix(NOTEBOOK)
