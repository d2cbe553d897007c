"""Sources as a copy reads them: a course's folder, or a backup, which nobody unpacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from kore.service.backups.reading import OpenBackup
from kore.service.catalog import render
from kore.service.coursedir.assignments import is_ignored, list_assignments
from kore.service.coursedir.layout import source_path
from kore.service.coursedir.openat import special_file
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError
from kore.shared.names import NOTEBOOK, find_path_fault, shown

MOST_FILES = 2000
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file of an assignment: its path within, its size in bytes, whether it is a program."""

    path: str
    size: int
    runs: bool = False

    @property
    def is_problem(self) -> bool:
        """Say whether it is a notebook that nbgrader grades: right in the assignment."""
        return self.path.endswith(NOTEBOOK) and "/" not in self.path


class Reader(ABC):
    """A source that is open. Names are those of assignments, paths are within them."""

    @abstractmethod
    def assignments(self) -> list[str]:
        """List the assignments, sorted."""

    @abstractmethod
    def files(self, assignment: str) -> list[File]:
        """List the files of an assignment but for what programs leave behind.

        Raises KoreError for a link or another odd thing in it, for a name that cannot be
        handed out, and where there are too many.
        """

    @abstractmethod
    def pieces(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content. Raises KoreError, and FileNotFoundError where it has gone."""

    def read(self, assignment: str, path: str, *, most: int) -> bytes:
        """Return a file's content. Raises KoreError ``too_large`` over ``most`` bytes."""
        content = bytearray()
        for piece in self.pieces(assignment, path):
            content += piece
            if len(content) > most:
                raise KoreError(
                    413, "too_large", f"{path} is larger than {most} bytes.", "Make it smaller."
                )
        return bytes(content)

    def same(self, assignment: str, path: str, other: SafeTree, place: str) -> bool:
        """Say whether a file has the content of one at a place of a tree."""
        with other.open(place) as theirs:
            for piece in self.pieces(assignment, path):
                if theirs.read(len(piece)) != piece:
                    return False
            return not theirs.read(1)


class CourseReader(Reader):
    """A course's own folder."""

    def __init__(self, tree: SafeTree) -> None:
        self._tree = tree

    def assignments(self) -> list[str]:
        """List the assignments, sorted."""
        return list_assignments(self._tree)

    def files(self, assignment: str) -> list[File]:
        """List the files of an assignment but for what programs leave behind."""
        place = source_path(assignment)
        found: list[File] = []
        left = ""
        for entry in self._tree.walk(place, limit=MOST_FILES):
            if left and entry.path.startswith(left):
                continue
            if is_ignored(entry.path.rpartition("/")[2]):
                left = entry.path + "/"
                continue
            if entry.is_special:
                raise special_file(entry.path)
            path = entry.path.removeprefix(place + "/")
            refuse_unfit_path(assignment, path)
            if not entry.is_dir:
                found.append(File(path, entry.size, bool(entry.mode & 0o111)))
        return found

    def pieces(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content."""
        with self._tree.open(source_path(assignment, path)) as handle:
            yield from iter(lambda: handle.read(_PIECE), b"")


def refuse_unfit_path(assignment: str, path: str) -> None:
    """Raise KoreError 422 for a path that cannot be handed out."""
    if fault := find_path_fault(path):
        raise KoreError(
            422,
            "bad_name",
            f"The name {shown(path)} in {shown(assignment)} {render(fault)}.",
            "Give it another name, then try again.",
        )


class BackupReader(Reader):
    """A backup, whose files are read where they lie in the archive."""

    def __init__(self, opened: OpenBackup) -> None:
        self._opened = opened
        self._files = {file.path: file for file in opened.source.files}

    def assignments(self) -> list[str]:
        """List the assignments, sorted."""
        return sorted({file.assignment for file in self._files.values() if file.assignment})

    def files(self, assignment: str) -> list[File]:
        """List the files of an assignment but for what programs leave behind."""
        found: list[File] = []
        for file in self._files.values():
            if file.assignment != assignment or any(map(is_ignored, file.path.split("/"))):
                continue
            path = file.path.removeprefix(assignment + "/")
            refuse_unfit_path(assignment, path)
            found.append(File(path, file.size))
        return sorted(found, key=lambda file: file.path)

    def pieces(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content; raises KoreError where the backup is damaged."""
        return self._opened.pieces(self._files[f"{assignment}/{path}"])
