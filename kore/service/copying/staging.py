"""Gets a copy ready below the target course's root, where nobody looks.

Reads the source only, and writes to staging only. Notebooks are brought up to date on the way,
so what is moved into place at the end is valid or never comes that far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from kore.service.copying import cell_metadata, contents
from kore.service.copying.name_conflicts import about
from kore.service.copying.plans import Step
from kore.service.copying.schemas import Collision
from kore.service.copying.source_reader import CourseReader, File, Reader
from kore.service.coursedir import moves
from kore.service.coursedir.layout import source_path
from kore.service.coursedir.moves import Move
from kore.service.coursedir.tree import FILE_MODE, SafeTree
from kore.service.errors import KoreError
from kore.shared.names import NOTEBOOK, shown

_PROGRAM = FILE_MODE | 0o111


def stage(
    source: Reader, target: SafeTree, step: Step, place: str, collision: Collision
) -> list[Move]:
    """Get one step ready at a place in staging; return what is to be moved then.

    Raises KoreError where something of it cannot be copied.
    """
    target.make_folder(place)
    stager = _Stager(source, target, step, step.clashing if collision == "keep_both" else {})
    if step.problem is None:
        taken: set[str] = set()
        for file in step.files:
            stager.put(file, f"{place}/{file.path}", taken)
        return [_move(target, place, source_path(step.name), swap=step.replaces)]
    stager.put_problem(place)
    if not step.within:
        return [_move(target, place, source_path(step.target), swap=False)]
    replaced = set(step.clashing) if collision == "replace" else set()
    return list(_single(target, step, place, replaced))


@dataclass(frozen=True, slots=True)
class _Stager:
    """Copies the files of one step; ``names`` are other names for those that a problem needs."""

    source: Reader
    target: SafeTree
    step: Step
    names: dict[str, str]

    def put_problem(self, place: str) -> None:
        """Copy a problem's notebook and the files that the assignment does not have."""
        notebook, *files = self.step.files
        self.put(notebook, f"{place}/{self.step.name}{NOTEBOOK}", self._ids())
        for file in files:
            if not self._is_same(file):
                goal = self.names.get(file.path, file.path)
                self.put(file, f"{place}/{goal}", set())

    def put(self, file: File, goal: str, taken: set[str]) -> None:
        """Copy one file; a problem's notebook with cell ids that are not in ``taken``."""
        step, path = self.step, file.path
        try:
            if file.is_problem:
                name = path.removesuffix(NOTEBOOK)
                content = contents.notebook(self.source, step.assignment, name)
                if self.names:
                    content = contents.renamed_in(self.source, step.assignment, content, self.names)
                pieces: Iterable[bytes] = [cell_metadata.fitted(content, taken)]
            else:
                pieces = self.source.pieces(step.assignment, path)
            self.target.write(goal, pieces, _PROGRAM if file.runs else FILE_MODE, sync=False)
        except FileNotFoundError as error:
            raise KoreError(
                409,
                "changed_meanwhile",
                f"{shown(path)} has gone while it was copied. Nothing was copied.",
                "Try again.",
            ) from error
        except KoreError as error:
            raise about(f"{step.assignment}/{path}", error) from error

    def _ids(self) -> set[str]:
        """Return the cell ids in the target, but for the notebook that gives way."""
        taken: set[str] = set()
        if not self.step.within:
            return taken
        for entry in self.target.list_folder(source_path(self.step.target)):
            name = entry.path.rpartition("/")[2]
            if entry.is_dir or entry.is_special or not name.endswith(NOTEBOOK):
                continue
            stem = name.removesuffix(NOTEBOOK)
            if stem == self.step.name:
                continue
            # One that cannot be read has no ids for nbgrader either.
            with suppress(KoreError, OSError):
                reader = CourseReader(self.target)
                taken |= cell_metadata.ids(contents.notebook(reader, self.step.target, stem))
        return taken

    def _is_same(self, file: File) -> bool:
        """Say whether the target has a file already, with the same content."""
        if not self.step.within or file.path in self.step.clashing:
            return False
        place = source_path(self.step.target, file.path)
        found = self.target.stat(place)
        if found is None:
            return False
        if (
            found.is_special
            or found.is_dir
            or not self.source.same(self.step.assignment, file.path, self.target, place)
        ):
            raise KoreError(
                409,
                "changed_meanwhile",
                f"{shown(place)} has changed while it was copied. Nothing was copied.",
                "Try again.",
            )
        return True


def _single(target: SafeTree, step: Step, place: str, replaced: set[str]) -> Iterator[Move]:
    """Yield the moves of a problem into an assignment that is there: its notebook last.

    Whoever looks in between sees files that nothing refers to yet. Folders that are not there
    are moved as a whole.
    """
    notebook, left = f"{place}/{step.name}{NOTEBOOK}", ""
    for entry in target.walk(place):
        if entry.path == notebook or (left and entry.path.startswith(left)):
            continue
        path = entry.path.removeprefix(place + "/")
        goal = source_path(step.target, path)
        if entry.is_dir:
            if target.exists(goal):
                continue
            left = entry.path + "/"
        yield _move(target, entry.path, goal, swap=path in replaced)
    yield _move(
        target, notebook, source_path(step.target, step.name + NOTEBOOK), swap=step.replaces
    )


def _move(target: SafeTree, staged: str, place: str, *, swap: bool) -> Move:
    before = moves.signature(target, place) if swap else ""
    inode = moves.inode_of(target, staged)
    return Move(staged=staged, place=place, inode=inode, swap=swap, before=before)
