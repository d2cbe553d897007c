"""Prepares a copy below the target course's root, where nobody looks.

Only reads from the source, and only writes to staging. Notebooks are upgraded and checked on
the way, so only what is valid is moved into place at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from kore.service.copying import cell_metadata, contents
from kore.service.copying.plans import Step
from kore.service.copying.schemas import Collision
from kore.service.copying.source_reader import CourseReader, File, Reader
from kore.service.coursedir import transaction
from kore.service.coursedir.layout import source_path
from kore.service.coursedir.notebooks import NotebookUnreadable
from kore.service.coursedir.safe_tree import FILE_MODE, SafeTree
from kore.service.coursedir.transaction import Move
from kore.service.errors import Changed, KoreError
from kore.shared.names import NOTEBOOK

_PROGRAM_MODE = FILE_MODE | 0o111


def stage(
    source: Reader, target: SafeTree, step: Step, place: str, collision: Collision
) -> list[Move]:
    """Prepare one step in a folder of staging; return its moves.

    Raises KoreError where something in it cannot be copied.
    """
    target.make_folder(place)
    stager = _Stager(source, target, step, step.clashing if collision == "keep_both" else {})
    if step.problem is None:
        taken: set[str] = set()
        for file in step.files:
            stager.put(file, f"{place}/{file.path}", taken)
        return [transaction.plan_move(target, place, source_path(step.name), swap=step.replaces)]
    stager.put_problem(place)
    if not step.within:
        return [transaction.plan_move(target, place, source_path(step.target), swap=False)]
    replaced = set(step.clashing) if collision == "replace" else set()
    return list(_plan_moves(target, step, place, replaced))


@dataclass(frozen=True, slots=True)
class _Stager:
    """Copies the files of one step. ``names`` are the new names of files that a problem needs."""

    source: Reader
    target: SafeTree
    step: Step
    names: dict[str, str]

    def put_problem(self, place: str) -> None:
        """Copy a problem's notebook and the files that the assignment does not have."""
        notebook, *files = self.step.files
        self.put(notebook, f"{place}/{self.step.name}{NOTEBOOK}", self._find_cell_ids())
        for file in files:
            if not self._is_there(file):
                goal = self.names.get(file.path, file.path)
                self.put(file, f"{place}/{goal}", set())

    def put(self, file: File, goal: str, taken: set[str]) -> None:
        """Copy one file; a problem's notebook with cell ids that are not in ``taken``."""
        step, path, source = self.step, file.path, self.source
        try:
            if file.is_problem:
                name = path.removesuffix(NOTEBOOK)
                content = contents.read_notebook(source, step.assignment, name)
                if self.names:
                    content = contents.rename_files(
                        self.source, step.assignment, content, self.names
                    )
                chunks: Iterable[bytes] = [cell_metadata.fit_notebook(content, taken)]
            else:
                chunks = source.read_chunks(step.assignment, path)
            mode = _PROGRAM_MODE if file.is_program else FILE_MODE
            self.target.write(goal, chunks, mode, sync=False)
        except FileNotFoundError as error:
            raise Changed("changed_meanwhile.gone", path=f"{step.assignment}/{path}") from error
        except NotebookUnreadable as error:
            notebook = f"{step.assignment}/{path}".removesuffix(NOTEBOOK)
            raise NotebookUnreadable(error.fault, notebook) from error

    def _find_cell_ids(self) -> set[str]:
        """Return the cell ids in the target, except those of the notebook that is replaced."""
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
            # For nbgrader, one that cannot be read has no ids either.
            with suppress(KoreError, OSError):
                reader = CourseReader(self.target)
                content = contents.read_notebook(reader, self.step.target, stem)
                taken |= cell_metadata.read_cell_ids(content)
        return taken

    def _is_there(self, file: File) -> bool:
        """Whether the target has a file already, with the same content."""
        if not self.step.within or file.path in self.step.clashing:
            return False
        place = source_path(self.step.target, file.path)
        found = self.target.stat(place)
        if found is None:
            return False
        if (
            found.is_special
            or found.is_dir
            or not self.source.has_same_content(self.step.assignment, file.path, self.target, place)
        ):
            raise Changed("changed_meanwhile.copied", path=place)
        return True


def _plan_moves(target: SafeTree, step: Step, place: str, replaced: set[str]) -> Iterator[Move]:
    """Yield the moves of a problem into an existing assignment: its notebook last.

    Until then there are only files that nothing refers to. Folders that the assignment does not
    have are moved as a whole.
    """
    notebook, moved = f"{place}/{step.name}{NOTEBOOK}", ""
    for entry in target.walk(place):
        if entry.path == notebook or (moved and entry.path.startswith(moved)):
            continue
        path = entry.path.removeprefix(place + "/")
        goal = source_path(step.target, path)
        if entry.is_dir:
            if target.exists(goal):
                continue
            moved = entry.path + "/"
        yield transaction.plan_move(target, entry.path, goal, swap=path in replaced)
    yield transaction.plan_move(
        target, notebook, source_path(step.target, step.name + NOTEBOOK), swap=step.replaces
    )
