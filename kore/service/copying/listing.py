"""Assignments and problems of all that somebody may copy from: searched, in pages."""

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
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.shared.names import twin_key

_Found = TypeVar("_Found")


def assignments(
    services: Services, user: str, query: FindQuery, *, admin: bool = False
) -> FoundAssignments:
    """List a page of assignments, those of the course launched last first."""
    matches = _matching(query.search)
    found = [
        (origin, name)
        for origin in _origins(services, user, query, admin)
        for name in origin.view(services).assignments()
        if matches(origin.title, name)
    ]
    page: list[FoundAssignment] = []
    for origin, name in _page(found, query):
        folder = origin.view(services).folder(name)
        page.append(
            FoundAssignment(
                source=origin.told(),
                name=name,
                notebooks=len(folder.notebooks) if folder else 0,
                points=folder.points if folder else None,
                size=folder.size if folder else 0,
                changed_at=_moment(folder.changed_at) if folder else None,
            )
        )
    return FoundAssignments(assignments=page, total=len(found))


def problems(
    services: Services, user: str, query: FindProblemsQuery, *, admin: bool = False
) -> FoundProblems:
    """List a page of problems, those of the course launched last first."""
    matches = _matching(query.search)
    found: list[tuple[Origin, str, str]] = []
    for origin in _origins(services, user, query, admin):
        view = origin.view(services)
        titles = view.titles() if query.search.strip() else {}
        found += [
            (origin, assignment, name)
            for assignment, name in titles or view.problems()
            if query.assignment in {None, assignment}
            if matches(origin.title, assignment, name, titles.get((assignment, name), ""))
        ]
    page: list[FoundProblem] = []
    for origin, assignment, name in _page(found, query):
        book = origin.view(services).notebook(assignment, name)
        page.append(
            FoundProblem(
                source=origin.told(),
                assignment=assignment,
                name=name,
                title=(book.summary.title if book else "") or name,
                points=book.summary.points if book else None,
                cells=book.summary.cells if book else 0,
                size=book.size if book else 0,
                changed_at=_moment(book.changed_at) if book else None,
            )
        )
    return FoundProblems(problems=page, total=len(found))


def preview(
    services: Services, user: str, query: PreviewQuery, *, admin: bool = False
) -> ProblemPreview:
    """Return a problem as text. Raises KoreError where it is none, or not for this user."""
    origin = sources.find(services, user, query.kind, query.source, admin=admin)
    book = origin.view(services).notebook(query.assignment, query.problem)
    if book is None:
        raise unknown_problem()
    try:
        with origin.open(services) as source:
            content = contents.notebook(source, query.assignment, query.problem)
    except KoreError as error:
        if error.code == "notebook_unreadable":
            raise
        raise notebooks.unreadable(f"cannot be shown: {error.message}") from error
    except OSError as error:
        raise unknown_problem() from error
    cells, truncated = notebooks.preview(content)
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


def unknown_problem() -> KoreError:
    """Return the error for a problem that is not in its source (any more)."""
    return KoreError(
        404,
        "problem_unknown",
        "There is no such problem in this source.",
        "Choose again from the list: it may have got another name meanwhile.",
    )


def _origins(services: Services, user: str, query: FindQuery, admin: bool) -> list[Origin]:
    found = sources.readable(
        services, user, admin=admin, course=query.course, kind=query.kind, source=query.source
    )
    return [origin for origin in found if origin.id != query.without]


def _matching(search: str) -> Callable[..., bool]:
    """Return what says whether all words of a search occur in some texts, in any case."""
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


def _page(found: list[_Found], query: FindQuery) -> list[_Found]:
    first = (query.page - 1) * query.per_page
    return found[first : first + query.per_page]


def _moment(seconds: float | None) -> datetime | None:
    """Return a time of a file; None for one that no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
