"""Plans a copy: what it reads, the names that it gives, and what is in its way.

A plan changes nothing. It refuses what can never be copied; ``collision`` decides what happens
where names are taken. The job makes the same plan again before it begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from kore.service.copying import contents
from kore.service.copying.name_conflicts import (
    TakenNames,
    check_title,
    find_free_path,
    name_taken,
)
from kore.service.copying.schemas import Collision, CopyItem, CopyPlan, CopyRequest
from kore.service.copying.source_listing import SourceListing
from kore.service.copying.source_reader import File, Reader
from kore.service.copying.sources import Origin
from kore.service.coursedir.layout import RELEASE, SOURCE, source_path
from kore.service.coursedir.notebooks import NotebookUnreadable, parse_notebook
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.db.exchange_models import Handout
from kore.service.errors import Conflict, Invalid, NotFound
from kore.service.services import Services
from kore.shared.names import NOTEBOOK, find_free_name


@dataclass(frozen=True, slots=True)
class Step:
    """One assignment or problem. ``name`` is the name that it gets by the request's choice.

    ``within``: the target assignment exists already. ``replaces``: something is replaced.
    ``files`` are all files of an assignment, or those that a problem needs. ``clashing`` are
    those that the target has with different content, with the names that they get where both
    are kept; ``stuck`` are those of them that must keep their name.
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

    def to_schema(self) -> CopyItem:
        """Return the step as the API answers it."""
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
        """The bytes of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a copy. ``size`` is in bytes."""

    steps: list[Step]
    size: int

    def to_schema(self) -> CopyPlan:
        """Return the plan as the API answers it."""
        return CopyPlan(items=[step.to_schema() for step in self.steps], size=self.size)

    def check(self, collision: Collision) -> None:
        """Raise Conflict where names are taken and the choice does not help."""
        stuck = [path for step in self.steps for path in step.stuck]
        if collision == "keep_both" and stuck:
            raise Conflict("name_taken.files", names=stuck)
        if collision != "refuse":
            return
        taken = [step.problem or step.target for step in self.steps if step.exists]
        if taken:
            raise Conflict("name_taken", names=taken)


def make_plan(services: Services, course_id: str, request: CopyRequest, origin: Origin) -> Plan:
    """Return what a request would do. Raises KoreError for what can never be copied."""
    _check(request, course_id, origin)
    try:
        with (
            SafeTree(services.host.course_root(course_id)) as target,
            origin.open(services) as source,
        ):
            if request.problem is not None:
                steps = [_plan_problem(source, target, request)]
            else:
                taken = _find_taken(services, course_id, target)
                wanted = _choose_assignments(request, source.list_assignments())
                for name in wanted:
                    _check_notebooks(origin.listing(services), name)
                steps = [_plan_assignment(source, target, request, name, taken) for name in wanted]
    except FileNotFoundError as error:
        raise Conflict("course_not_ready.copy") from error
    return Plan(steps, sum(step.size for step in steps))


def _choose_assignments(request: CopyRequest, names: list[str]) -> list[str]:
    """Return which of a source's assignments are asked for, in the source's order."""
    chosen = request.assignments if request.assignment is None else [request.assignment]
    if chosen is None:
        if not names:
            raise Invalid("nothing_to_copy")
        return names
    for name in chosen:
        if name not in names:
            raise _unknown(name)
    return [name for name in names if name in set(chosen)]


def _check(request: CopyRequest, course_id: str, origin: Origin) -> None:
    if request.problem is not None and request.assignment is None:
        raise Invalid("invalid.problem_alone")
    if request.assignments is not None and request.assignment is not None:
        raise Invalid("invalid.both_assignments")
    if request.into is not None and request.assignment is None:
        raise Invalid("invalid.into_alone")
    itself = origin.kind == "course" and origin.id == course_id
    if itself and request.collision == "replace" and request.into in {None, request.assignment}:
        raise Invalid("invalid.own_place")


def _check_notebooks(source: SourceListing, assignment: str) -> None:
    found = source.find_assignment(assignment)
    if found is None:
        raise _unknown(assignment)
    for book in found.notebooks:
        if book.summary.fault:
            raise NotebookUnreadable(book.summary.fault, f"{assignment}/{book.name}")


def _plan_assignment(
    source: Reader, target: SafeTree, request: CopyRequest, name: str, taken: TakenNames
) -> Step:
    wanted = request.into or name
    check_title(wanted, "assignment")
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
        files=source.list_files(name),
    )


def _plan_problem(source: Reader, target: SafeTree, request: CopyRequest) -> Step:
    assignment, problem = request.assignment or "", request.problem or ""
    into = request.into or assignment
    check_title(into, "assignment")
    check_title(problem, "problem")
    _check_problem(source, assignment, problem)
    try:
        content = contents.read_notebook(source, assignment, problem)
        others = contents.OtherFiles(source, assignment)
        files = others.list_needed(parse_notebook(content))
    except NotebookUnreadable as error:
        raise NotebookUnreadable(error.fault, f"{assignment}/{problem}") from error
    there = target.stat(source_path(into))
    if there is not None and (there.is_special or not there.is_dir):
        raise name_taken(into, into)
    if there is None:
        names = [e.path.rpartition("/")[2] for e in target.list_folder(SOURCE)]
        TakenNames(set(names)).refuse_twin(into)
    entries = [e.path.rpartition("/")[2] for e in target.list_folder(source_path(into))]
    books = TakenNames({n.removesuffix(NOTEBOOK) for n in entries if n.endswith(NOTEBOOK)})
    clashing = {
        file.path: find_free_path(target, into, file.path)
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
        stuck=others.rename(parse_notebook(content), clashing),
    )


def _find_taken(services: Services, course_id: str, target: SafeTree) -> TakenNames:
    """Return the names of assignments that the course has, or has released."""
    names = {
        entry.path.rpartition("/")[2]
        for folder in (SOURCE, RELEASE)
        for entry in target.list_folder(folder)
    }
    with services.db.reading() as session:
        names.update(session.scalars(select(Handout.name).where(Handout.course_id == course_id)))
    return TakenNames(names)


def _differs(source: Reader, assignment: str, target: SafeTree, into: str, file: File) -> bool:
    there = target.stat(source_path(into, file.path))
    if there is None:
        return False
    return (
        there.is_special
        or there.is_dir
        or there.size != file.size
        or not source.has_same_content(assignment, file.path, target, source_path(into, file.path))
    )


def _check_problem(source: Reader, assignment: str, problem: str) -> None:
    """Raise NotFound for a problem that is not there. Names from a request are not paths."""
    if assignment not in source.list_assignments():
        raise _unknown(assignment)
    if problem + NOTEBOOK not in {file.path for file in source.list_files(assignment)}:
        raise _unknown(problem)


def _unknown(name: str) -> NotFound:
    return NotFound("not_in_source", name=name)
