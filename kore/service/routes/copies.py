"""Assignments and problems of all courses, and copies of them."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service.auth.guards import (
    allow,
    caller,
    in_path,
    is_admin,
    services,
    teacher_of,
    user,
)
from kore.service.copying import copies, search
from kore.service.copying.schemas import (
    CopyPlan,
    CopyRequest,
    FindProblemsQuery,
    FindQuery,
    FoundAssignments,
    FoundProblems,
    PreviewQuery,
    ProblemPreview,
)
from kore.service.routes.answers import answer, responses
from kore.service.routes.jobs import answer_queued
from kore.service.schemas import CoursePath, JobInfo

api = APIBlueprint("copies", __name__, abp_tags=[Tag(name="copies")])
_ERRORS = (401, 403, 404, 422, 502, 503)
_COPYING = (*_ERRORS, 409, 413)


@api.get("/assignments", responses=responses(200, FoundAssignments, *_ERRORS))
@allow(user)
def list_assignments(query: FindQuery) -> Response:
    """List assignments of the courses that the caller teaches, and of backups."""
    return answer(search.search_assignments(services(), caller().name, query, admin=_named(query)))


@api.get("/problems", responses=responses(200, FoundProblems, *_ERRORS))
@allow(user)
def list_problems(query: FindProblemsQuery) -> Response:
    """List problems (notebooks) of the courses that the caller teaches, and of backups."""
    return answer(search.search_problems(services(), caller().name, query, admin=_named(query)))


@api.get("/problems/preview", responses=responses(200, ProblemPreview, *_ERRORS))
@allow(user)
def preview_problem(query: PreviewQuery) -> Response:
    """Return a problem as text."""
    return answer(search.preview_problem(services(), caller().name, query, admin=is_admin()))


@api.post("/courses/<course_id>/copies/plan", responses=responses(200, CopyPlan, *_COPYING))
@allow(teacher_of(in_path))
def plan_copy(path: CoursePath, body: CopyRequest) -> Response:
    """Say what a copy into the course would do, and what is in its way. Changes nothing."""
    made = copies.plan_copy(services(), path.course_id, body, by=caller().name, admin=is_admin())
    return answer(made.to_schema())


@api.post("/courses/<course_id>/copies", responses=responses(202, JobInfo, *_COPYING))
@allow(teacher_of(in_path))
def copy(path: CoursePath, body: CopyRequest) -> Response:
    """Copy assignments or a problem into the course, as a job: all of it or nothing."""
    job_id = copies.queue_copy(services(), path.course_id, body, by=caller().name, admin=is_admin())
    return answer_queued(job_id)


def _named(query: FindQuery) -> bool:
    """Say whether the caller is an admin who named a course; the hub is asked only then."""
    return bool(query.course or query.source) and is_admin()
