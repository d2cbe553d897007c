"""Sources as lists show them: names, titles, points, without reading anew what is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from kore.service.backups.reading import BackupSource, OpenBackup, SourceFile
from kore.service.coursedir import notebooks
from kore.service.coursedir.assignments import is_ignored
from kore.service.coursedir.cache import Folder, Notebook, Shelf
from kore.service.coursedir.notebooks import Summary
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.shared.names import NOTEBOOK


class View(ABC):
    """A source, looked at. Nothing here raises: what cannot be read is not there."""

    @abstractmethod
    def assignments(self) -> list[str]:
        """List the assignments, sorted."""

    @abstractmethod
    def problems(self) -> list[tuple[str, str]]:
        """List the notebooks, sorted, each with its assignment before it."""

    @abstractmethod
    def titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""

    @abstractmethod
    def folder(self, assignment: str) -> Folder | None:
        """Return an assignment; None where there is none."""

    @abstractmethod
    def notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where there is none."""


class CourseView(View):
    """A course, as its folder is now."""

    def __init__(self, shelf: Shelf, root: Path) -> None:
        self._shelf, self._root = shelf, root

    def assignments(self) -> list[str]:
        """List the assignments, sorted."""
        return self._shelf.assignments(self._root)

    def problems(self) -> list[tuple[str, str]]:
        """List the notebooks, sorted, each with its assignment before it."""
        return self._shelf.problems(self._root)

    def titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""
        return self._shelf.titles(self._root)

    def folder(self, assignment: str) -> Folder | None:
        """Return an assignment; None where there is none."""
        return self._shelf.folder(self._root, assignment)

    def notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where there is none."""
        return self._shelf.notebook(self._root, assignment, name)


class BackupView(View):
    """A backup: its names are in the database, its notebooks are known by their digests."""

    def __init__(self, services: Services, source: BackupSource) -> None:
        self._services, self._source = services, source
        self._at = source.taken_at.timestamp()
        self._files = {
            file.path: file
            for file in source.files
            if file.assignment and not any(map(is_ignored, file.path.split("/")))
        }

    def assignments(self) -> list[str]:
        """List the assignments, sorted."""
        return sorted({file.assignment for file in self._files.values()})

    def problems(self) -> list[tuple[str, str]]:
        """List the notebooks, sorted, each with its assignment before it."""
        return sorted(_named(file) for file in self._files.values() if _is_problem(file))

    def titles(self) -> dict[tuple[str, str], str]:
        """Return the titles of the notebooks."""
        books = [file for file in self._files.values() if _is_problem(file)]
        return {_named(file): self._summary(file).title for file in books}

    def folder(self, assignment: str) -> Folder | None:
        """Return an assignment; None where there is none."""
        files = [file for file in self._files.values() if file.assignment == assignment]
        if not files:
            return None
        books = sorted((f for f in files if _is_problem(f)), key=lambda f: f.path)
        return Folder(
            assignment,
            [self._notebook(file) for file in books],
            sum(file.size for file in files),
            self._at,
        )

    def notebook(self, assignment: str, name: str) -> Notebook | None:
        """Return a notebook; None where there is none."""
        file = self._files.get(f"{assignment}/{name}{NOTEBOOK}")
        return self._notebook(file) if file is not None and _is_problem(file) else None

    def _notebook(self, file: SourceFile) -> Notebook:
        return Notebook(_named(file)[1], file.size, self._at, self._summary(file))

    def _summary(self, file: SourceFile) -> Summary:
        return self._services.shelf.by_digest(file.sha256, lambda: self._read(file))

    def _read(self, file: SourceFile) -> Summary:
        if file.size > notebooks.MOST_BYTES:
            return notebooks.too_large()
        try:
            with OpenBackup(self._services, self._source.id) as opened:
                return notebooks.summary(opened.read_bytes(file, limit=notebooks.MOST_BYTES))
        except KoreError as error:
            return Summary(trouble=str(error))


def _is_problem(file: SourceFile) -> bool:
    name = file.path.rpartition("/")[2]
    return file.path.count("/") == 1 and name.endswith(NOTEBOOK) and not name.startswith(".")


def _named(file: SourceFile) -> tuple[str, str]:
    assignment, _, name = file.path.rpartition("/")
    return assignment, name.removesuffix(NOTEBOOK)
