"""Grades to the LMS: preview and sending."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import grades
from kore.service.auth.guards import (
    allow,
    caller,
    in_body,
    in_query,
    services,
    teacher_of,
)
from kore.service.grades.schemas import GradesPreview, GradesRequest
from kore.service.routes.answers import answer, responses
from kore.service.routes.jobs import answer_queued
from kore.service.schemas import CourseQuery, JobInfo

api = APIBlueprint("grades", __name__, url_prefix="/grades", abp_tags=[Tag(name="grades")])
_ERRORS = (401, 403, 404, 409, 422)


@api.get("", responses=responses(200, GradesPreview, *_ERRORS))
@allow(teacher_of(in_query))
def preview_grades(query: CourseQuery) -> Response:
    """Return who would get what, what is held back, and why. Sends nothing."""
    return answer(grades.preview(services(), query.course))


@api.post("", responses=responses(202, JobInfo, *_ERRORS))
@allow(teacher_of(in_body))
def send_grades(body: GradesRequest) -> Response:
    """Send the course's grades as a job; its report names every student."""
    job_id = grades.send(
        services(), body.course, by=caller().name, resend=body.resend, only=body.users
    )
    return answer_queued(job_id)
