"""Courses."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.courses import listing
from kore.errors import KoreError
from kore.guards import allow, caller, in_path, is_admin, member_of, services, teacher_of, user
from kore.routes.answers import answer, responses
from kore.schemas import (
    CourseDetail,
    CoursePath,
    Courses,
    CoursesQuery,
    CurrentCourse,
    OpenedCourse,
)

api = APIBlueprint("courses", __name__, url_prefix="/courses", abp_tags=[Tag(name="courses")])
_ERRORS = (401, 403, 422)
_OF_COURSE = (*_ERRORS, 404, 502, 503)


@api.get("", responses=responses(200, Courses, *_ERRORS))
@allow(user)
def list_courses(query: CoursesQuery) -> Response:
    """List the caller's courses, the latest launched first."""
    return answer(
        Courses(courses=listing.courses_of(services(), caller().name, everything=_all(query)))
    )


@api.get("/active", responses=responses(200, Courses, *_ERRORS, 502, 503))
@allow(user)
def active_courses(query: CoursesQuery) -> Response:
    """List those of the caller's courses whose server runs."""
    return answer(
        Courses(courses=listing.active_courses(services(), caller().name, everything=_all(query)))
    )


@api.get("/current", responses=responses(200, CurrentCourse, *_ERRORS))
@allow(user)
def current_course() -> Response:
    """Return the course of the caller's latest launch."""
    return answer(CurrentCourse(course=listing.current_course(services(), caller().name)))


@api.get("/<course_id>", responses=responses(200, CourseDetail, *_OF_COURSE))
@allow(member_of(in_path))
def course(path: CoursePath) -> Response:
    """Return a course; its teachers also see its people and assignments."""
    return answer(listing.detail(services(), path.course_id, caller().name))


@api.post("/<course_id>/open", responses=responses(202, OpenedCourse, *_OF_COURSE))
@allow(teacher_of(in_path))
def open_course(path: CoursePath) -> Response:
    """Start the course's server, unless it runs, and say where it is."""
    return answer(listing.open_server(services(), path.course_id), 202)


def _all(query: CoursesQuery) -> bool:
    if query.all and not is_admin():
        raise KoreError(403, "admins_only", "Only hub admins can list every course.")
    return query.all
