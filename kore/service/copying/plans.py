"""What a copy would do: from where, under which name, and what is in its way.

A plan only looks. It refuses what can never be copied; what the names allow is decided by
``collision``, and the job makes the same plan again before it begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from kore.service.copying import contents
from kore.service.copying.name_conflicts import (
    Taken,
    about,
    free_path,
    refuse_unfit,
    taken_by_other,
)
from kore.service.copying.schemas import Collision, CopyItem, CopyPlan, CopyRequest
from kore.service.copying.source_listing import View
from kore.service.copying.source_reader import File, Reader
from kore.service.copying.sources import Origin
from kore.service.coursedir.layout import RELEASE, SOURCE, source_path
from kore.service.coursedir.notebooks import parsed
from kore.service.coursedir.tree import SafeTree
from kore.service.db.models import Handout
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.shared.names import NOTEBOOK, find_free_name, shown


@dataclass(frozen=True, slots=True)
class Step:
    """One assignment or problem: ``name`` is what it will be called under the request's choice.

    ``within`` says that the target assignment is there already, ``replaces`` that something
    has to give way. ``files`` are all files of an assignment, or those that a problem needs;
    ``clashing`` are those of them that the target has with another content, with the names
    that they get where both are kept; ``stuck`` those of them that have to keep their name.
    """

    assignment: str
    problem: str | None
    target: str
    name: str
    exists: bool
    keep_both: str
    within: bool
    replaces: bool
    files: list[File]
    clashing: dict[str, str] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)

    def told(self) -> CopyItem:
        """Return it as the API has it."""
        return CopyItem(
            assignment=self.assignment,
            problem=self.problem,
            target=self.target,
            exists=self.exists,
            keep_both=self.keep_both,
            size=self.size,
        )

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a copy. ``size`` is in bytes."""

    steps: list[Step]
    size: int

    def told(self) -> CopyPlan:
        """Return it as the API has it."""
        return CopyPlan(items=[step.told() for step in self.steps], size=self.size)

    def refuse(self, collision: Collision) -> None:
        """Raise KoreError 409 where names are taken and the choice does not help."""
        stuck = [path for step in self.steps for path in step.stuck]
        if collision == "keep_both" and stuck:
            raise KoreError(
                409,
                "name_taken",
                f"{', '.join(shown(path) for path in stuck)}: the assignment has this file with "
                "another content, and the problem cannot get it under another name.",
                "Copy the problem into another assignment, or let the file be replaced.",
            )
        if collision != "refuse":
            return
        taken = [step.problem or step.target for step in self.steps if step.exists]
        if taken:
            raise KoreError(
                409,
                "name_taken",
                f"{', '.join(shown(name) for name in taken)}: the course has this already, or a "
                "file that belongs to it. Nothing was copied.",
                "Choose whether both are kept, or the old one is replaced.",
            )


def plan(services: Services, course_id: str, request: CopyRequest, origin: Origin) -> Plan:
    """Return what a request would do. Raises KoreError for what can never be copied."""
    _check(request, course_id, origin)
    try:
        with (
            SafeTree(services.host.course_root(course_id)) as target,
            origin.open(services) as source,
        ):
            if request.problem is not None:
                steps = [_problem(source, target, request)]
            else:
                taken = _taken(services, course_id, target)
                wanted = _wanted(request, source.assignments())
                for name in wanted:
                    _refuse_broken(origin.view(services), name)
                steps = [_assignment(source, target, request, name, taken) for name in wanted]
    except FileNotFoundError as error:
        raise KoreError(
            409,
            "course_not_ready",
            "One of the courses is still being set up, or it changes at this moment.",
            "Try again in some seconds.",
        ) from error
    return Plan(steps, sum(step.size for step in steps))


def _wanted(request: CopyRequest, names: list[str]) -> list[str]:
    """Return which of a source's assignments are asked for, in the source's order."""
    chosen = request.assignments if request.assignment is None else [request.assignment]
    if chosen is None:
        if not names:
            raise _nothing()
        return names
    for name in chosen:
        if name not in names:
            raise _unknown(name)
    return [name for name in names if name in set(chosen)]


def _check(request: CopyRequest, course_id: str, origin: Origin) -> None:
    if request.problem is not None and request.assignment is None:
        raise _senseless("problem: a problem is named together with its assignment.")
    if request.assignments is not None and request.assignment is not None:
        raise _senseless("assignments: either some are named, or one.")
    if request.into is not None and request.assignment is None:
        raise _senseless("into: a whole course keeps the names of its assignments.")
    itself = origin.kind == "course" and origin.id == course_id
    if itself and request.collision == "replace" and request.into in {None, request.assignment}:
        raise _senseless("collision: nothing can take its own place.")


def _refuse_broken(view: View, assignment: str) -> None:
    folder = view.folder(assignment)
    if folder is None:
        raise _unknown(assignment)
    for book in folder.notebooks:
        if book.summary.trouble:
            raise about(f"{assignment}/{book.name}", _refused(book.summary.trouble))


def _assignment(
    source: Reader, target: SafeTree, request: CopyRequest, name: str, taken: Taken
) -> Step:
    wanted = request.into or name
    refuse_unfit(wanted, "assignment")
    exists = taken.has(wanted)
    keep_both = find_free_name(wanted, taken.has) if exists else wanted
    final, there = wanted, target.stat(source_path(wanted))
    if exists and request.collision == "keep_both":
        final, there = keep_both, None
    elif exists and request.collision == "replace" and (there is None or not there.is_dir):
        taken.refuse_twin(wanted)
    taken.add(final)
    return Step(
        assignment=name,
        problem=None,
        target=wanted,
        name=final,
        exists=exists,
        keep_both=keep_both,
        within=False,
        replaces=there is not None,
        files=source.files(name),
    )


def _problem(source: Reader, target: SafeTree, request: CopyRequest) -> Step:
    assignment, problem = request.assignment or "", request.problem or ""
    into = request.into or assignment
    refuse_unfit(into, "assignment")
    refuse_unfit(problem, "problem")
    _named(source, assignment, problem)
    try:
        content = contents.notebook(source, assignment, problem)
        around = contents.Surroundings(source, assignment)
        files = around.needed(parsed(content))
    except KoreError as error:
        raise about(f"{assignment}/{problem}", error) from error
    there = target.stat(source_path(into))
    if there is not None and (there.is_special or not there.is_dir):
        raise taken_by_other(into, into)
    if there is None:
        names = [e.path.rpartition("/")[2] for e in target.list_folder(SOURCE)]
        Taken(set(names)).refuse_twin(into)
    entries = [e.path.rpartition("/")[2] for e in target.list_folder(source_path(into))]
    books = Taken({n.removesuffix(NOTEBOOK) for n in entries if n.endswith(NOTEBOOK)})
    clashing = {
        file.path: free_path(target, into, file.path)
        for file in files
        if _differs(source, assignment, target, into, file)
    }
    exists = books.has(problem)
    keep_both = find_free_name(problem, books.has) if exists else problem
    final = keep_both if request.collision == "keep_both" else problem
    if exists and request.collision == "replace" and problem not in books.names:
        books.refuse_twin(problem)
    size = len(content)
    return Step(
        assignment=assignment,
        problem=problem,
        target=into,
        name=final,
        exists=exists or bool(clashing),
        keep_both=keep_both,
        within=there is not None,
        replaces=final in books.names,
        files=[File(problem + NOTEBOOK, size), *files],
        clashing=clashing,
        stuck=around.renaming(parsed(content), clashing),
    )


def _taken(services: Services, course_id: str, target: SafeTree) -> Taken:
    """Return the names of assignments that the course has, or had when they were released."""
    names = {
        entry.path.rpartition("/")[2]
        for folder in (SOURCE, RELEASE)
        for entry in target.list_folder(folder)
    }
    with services.db.reading() as session:
        names.update(session.scalars(select(Handout.name).where(Handout.course_id == course_id)))
    return Taken(names)


def _differs(source: Reader, assignment: str, target: SafeTree, into: str, file: File) -> bool:
    there = target.stat(source_path(into, file.path))
    if there is None:
        return False
    return (
        there.is_special
        or there.is_dir
        or there.size != file.size
        or not source.same(assignment, file.path, target, source_path(into, file.path))
    )


def _named(source: Reader, assignment: str, problem: str) -> None:
    """Refuse a problem that is not there. Names come from a request: they are no paths."""
    if assignment not in source.assignments():
        raise _unknown(assignment)
    if problem + NOTEBOOK not in {file.path for file in source.files(assignment)}:
        raise _unknown(problem)


def _refused(trouble: str) -> KoreError:
    return KoreError(
        422, "notebook_unreadable", trouble, "Open it in JupyterLab, save it there, and try again."
    )


def _senseless(words: str) -> KoreError:
    return KoreError(422, "invalid", words, "See openapi.json for what this route takes.")


def _unknown(name: str) -> KoreError:
    return KoreError(
        404,
        "not_in_source",
        f"There is no {shown(name)} in this source.",
        "Choose again from the list: it may have got another name meanwhile.",
    )


def _nothing() -> KoreError:
    return KoreError(
        422, "nothing_to_copy", "This source has no assignments.", "Choose another one."
    )
