"""Assignments and problems of all courses, and copies of them."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.copying import listing
from kore.copying.schemas import (
    FindProblemsQuery,
    FindQuery,
    FoundAssignments,
    FoundProblems,
    PreviewQuery,
    ProblemPreview,
)
from kore.guards import allow, caller, is_admin, services, user
from kore.routes.answers import answer, responses

api = APIBlueprint("copies", __name__, abp_tags=[Tag(name="copies")])
_ERRORS = (401, 403, 404, 422, 502, 503)


@api.get("/assignments", responses=responses(200, FoundAssignments, *_ERRORS))
@allow(user)
def list_assignments(query: FindQuery) -> Response:
    """List assignments of the courses that the caller teaches, and of backups."""
    return answer(listing.assignments(services(), caller().name, query, admin=_named(query)))


@api.get("/problems", responses=responses(200, FoundProblems, *_ERRORS))
@allow(user)
def list_problems(query: FindProblemsQuery) -> Response:
    """List problems (notebooks) of the courses that the caller teaches, and of backups."""
    return answer(listing.problems(services(), caller().name, query, admin=_named(query)))


@api.get("/problems/preview", responses=responses(200, ProblemPreview, *_ERRORS))
@allow(user)
def preview_problem(query: PreviewQuery) -> Response:
    """Return a problem as text."""
    return answer(listing.preview(services(), caller().name, query, admin=is_admin()))


def _named(query: FindQuery) -> bool:
    """Say whether the caller is an admin who named a course; the hub is asked only then."""
    return bool(query.course or query.source) and is_admin()
