"""Searches assignments and problems of all that someone may copy from, in pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from kore.service.copying import contents, sources
from kore.service.copying.schemas import (
    CellPreview,
    FindProblemsQuery,
    FindQuery,
    FoundAssignment,
    FoundAssignments,
    FoundProblem,
    FoundProblems,
    PreviewQuery,
    ProblemPreview,
)
from kore.service.copying.sources import Origin
from kore.service.coursedir import notebooks
from kore.service.coursedir.notebooks import NotebookUnreadable
from kore.service.errors import KoreError, NotFound
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.names import twin_key

_Found = TypeVar("_Found")


def search_assignments(
    services: Services, user: str, query: FindQuery, *, admin: bool = False
) -> FoundAssignments:
    """Return a page of assignments, those of the course launched last first."""
    matches = _make_filter(query.search)
    found = [
        (origin, name)
        for origin in _list_sources(services, user, query, admin)
        for name in origin.listing(services).list_assignments()
        if matches(origin.title, name)
    ]
    page: list[FoundAssignment] = []
    for origin, name in _take_page(found, query):
        assignment = origin.listing(services).find_assignment(name)
        page.append(
            FoundAssignment(
                source=origin.to_schema(),
                name=name,
                notebooks=len(assignment.notebooks) if assignment else 0,
                points=assignment.points if assignment else None,
                size=assignment.size if assignment else 0,
                changed_at=_read_time(assignment.changed_at) if assignment else None,
            )
        )
    return FoundAssignments(assignments=page, total=len(found))


def search_problems(
    services: Services, user: str, query: FindProblemsQuery, *, admin: bool = False
) -> FoundProblems:
    """Return a page of problems, those of the course launched last first."""
    matches = _make_filter(query.search)
    found: list[tuple[Origin, str, str]] = []
    for origin in _list_sources(services, user, query, admin):
        source = origin.listing(services)
        titles = source.list_titles() if query.search.strip() else {}
        found += [
            (origin, assignment, name)
            for assignment, name in titles or source.list_problems()
            if query.assignment in {None, assignment}
            if matches(origin.title, assignment, name, titles.get((assignment, name), ""))
        ]
    page: list[FoundProblem] = []
    for origin, assignment, name in _take_page(found, query):
        book = origin.listing(services).find_notebook(assignment, name)
        page.append(
            FoundProblem(
                source=origin.to_schema(),
                assignment=assignment,
                name=name,
                title=(book.summary.title if book else "") or name,
                points=book.summary.points if book else None,
                cells=book.summary.cells if book else 0,
                size=book.size if book else 0,
                changed_at=_read_time(book.changed_at) if book else None,
            )
        )
    return FoundProblems(problems=page, total=len(found))


def preview_problem(
    services: Services, user: str, query: PreviewQuery, *, admin: bool = False
) -> ProblemPreview:
    """Return a problem as text. Raises KoreError where it is not there, or not for this user."""
    origin = sources.find_source(services, user, query.kind, query.source, admin=admin)
    book = origin.listing(services).find_notebook(query.assignment, query.problem)
    if book is None:
        raise NotFound("problem_unknown")
    try:
        with origin.open(services) as source:
            content = contents.read_notebook(source, query.assignment, query.problem)
    except NotebookUnreadable:
        raise
    except KoreError as error:
        fault = message("notebook_fault.unavailable", reason=error.message)
        raise NotebookUnreadable(fault) from error
    except OSError as error:
        raise NotFound("problem_unknown") from error
    cells, truncated = notebooks.preview_cells(content)
    return ProblemPreview(
        name=book.name,
        title=book.summary.title or book.name,
        points=book.summary.points,
        cells=[
            CellPreview(kind=cell.kind, role=cell.role, points=cell.points, text=cell.text)
            for cell in cells
        ],
        truncated=truncated,
    )


def _list_sources(services: Services, user: str, query: FindQuery, admin: bool) -> list[Origin]:
    found = sources.list_sources(
        services, user, admin=admin, course=query.course, kind=query.kind, source=query.source
    )
    return [origin for origin in found if origin.id != query.without]


def _make_filter(search: str) -> Callable[..., bool]:
    """Return a function: whether all words of a search occur in some texts, in any case."""
    words = twin_key(search).split()
    if not words:
        return lambda *_texts: True

    def matches(*texts: str) -> bool:
        text = "\n".join(map(_key, texts))
        return all(word in text for word in words)

    return matches


@lru_cache(maxsize=100_000)
def _key(text: str) -> str:
    return twin_key(text)


def _take_page(found: list[_Found], query: FindQuery) -> list[_Found]:
    first = (query.page - 1) * query.per_page
    return found[first : first + query.per_page]


def _read_time(seconds: float | None) -> datetime | None:
    """Return the time of a file; None for one that no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
