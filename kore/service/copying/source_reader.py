"""Sources as a copy reads them: a course's folder, or a backup, which is not unpacked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from kore.service.backups.reading import OpenBackup
from kore.service.coursedir.assignments import (
    is_assignment_name,
    is_ignored,
    list_assignments,
)
from kore.service.coursedir.layout import source_path
from kore.service.coursedir.openat import special_file
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Invalid, TooLarge
from kore.shared.names import NOTEBOOK, find_path_fault

_MAX_FILES = 2000
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file of an assignment: its path in there, its size in bytes, whether it is a program."""

    path: str
    size: int
    is_program: bool = False

    @property
    def is_problem(self) -> bool:
        """Whether it is a notebook that nbgrader grades: directly in the assignment."""
        return self.path.endswith(NOTEBOOK) and "/" not in self.path


class Reader(ABC):
    """An open source. Names are those of assignments, paths are within them."""

    @abstractmethod
    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""

    @abstractmethod
    def list_files(self, assignment: str) -> list[File]:
        """Return the files of an assignment, except what programs leave behind.

        Raises KoreError for a link or another special file, for a name that cannot be handed
        out, and where there are too many.
        """

    @abstractmethod
    def read_chunks(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content. Raises KoreError, and FileNotFoundError where it is gone."""

    def read_file(self, assignment: str, path: str, *, limit: int) -> bytes:
        """Return a file's content. Raises TooLarge over ``limit`` bytes."""
        content = bytearray()
        for chunk in self.read_chunks(assignment, path):
            content += chunk
            if len(content) > limit:
                raise TooLarge("too_large.file", path=path, limit=limit)
        return bytes(content)

    def has_same_content(self, assignment: str, path: str, other: SafeTree, place: str) -> bool:
        """Whether a file has the same content as one in a tree."""
        with other.open(place) as theirs:
            for chunk in self.read_chunks(assignment, path):
                if theirs.read(len(chunk)) != chunk:
                    return False
            return not theirs.read(1)


class CourseReader(Reader):
    """A course's own folder."""

    def __init__(self, tree: SafeTree) -> None:
        self._tree = tree

    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""
        return list_assignments(self._tree)

    def list_files(self, assignment: str) -> list[File]:
        """Return the files of an assignment, except what programs leave behind."""
        place = source_path(assignment)
        found: list[File] = []
        skipped = ""
        for entry in self._tree.walk(place, limit=_MAX_FILES):
            if skipped and entry.path.startswith(skipped):
                continue
            if is_ignored(entry.path.rpartition("/")[2]):
                skipped = entry.path + "/"
                continue
            if entry.is_special:
                raise special_file(entry.path)
            path = entry.path.removeprefix(place + "/")
            _check_path(assignment, path)
            if not entry.is_dir:
                found.append(File(path, entry.size, bool(entry.mode & 0o111)))
        return found

    def read_chunks(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content."""
        with self._tree.open(source_path(assignment, path)) as handle:
            yield from iter(lambda: handle.read(_CHUNK_BYTES), b"")


class BackupReader(Reader):
    """A backup, whose files are read where they are in the archive."""

    def __init__(self, opened: OpenBackup) -> None:
        self._opened = opened
        self._files = {file.path: file for file in opened.source.files}

    def list_assignments(self) -> list[str]:
        """Return the assignments, sorted."""
        names = {file.assignment for file in self._files.values()}
        return sorted(filter(is_assignment_name, names))

    def list_files(self, assignment: str) -> list[File]:
        """Return the files of an assignment, except what programs leave behind."""
        found: list[File] = []
        for file in self._files.values():
            if file.assignment != assignment or any(map(is_ignored, file.path.split("/"))):
                continue
            path = file.path.removeprefix(assignment + "/")
            _check_path(assignment, path)
            found.append(File(path, file.size))
        return sorted(found, key=lambda file: file.path)

    def read_chunks(self, assignment: str, path: str) -> Iterator[bytes]:
        """Yield a file's content; raises KoreError where the backup is damaged."""
        return self._opened.pieces(self._files[f"{assignment}/{path}"])


def _check_path(assignment: str, path: str) -> None:
    """Raise Invalid for a path that cannot be handed out."""
    if fault := find_path_fault(path):
        raise Invalid("bad_name.copied_file", name=path, assignment=assignment, reason=fault)
