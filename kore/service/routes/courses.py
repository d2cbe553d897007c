"""Courses."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from kore.service import audit, autograding
from kore.service.auth.guards import (
    account_of,
    allow,
    caller,
    in_path,
    is_admin,
    member_of,
    role,
    services,
    teacher_of,
    user,
)
from kore.service.courses import listing, settings
from kore.service.courses.schemas import (
    AutogradeRequest,
    AutogradeTicket,
    AutogradeWork,
    CourseSettings,
)
from kore.service.errors import Forbidden
from kore.service.routes.answers import answer, responses
from kore.service.routes.jobs import answer_queued
from kore.service.schemas import (
    AuditPage,
    CourseDetail,
    CoursePath,
    Courses,
    CoursesQuery,
    CurrentCourse,
    JobInfo,
    OpenedCourse,
    PageQuery,
)
from kore.shared.messages import message

api = APIBlueprint("courses", __name__, url_prefix="/courses", abp_tags=[Tag(name="courses")])
_ERRORS = (401, 403, 422)
_OF_COURSE = (*_ERRORS, 404, 502, 503)


@api.get("", responses=responses(200, Courses, *_ERRORS))
@allow(user)
def list_courses(query: CoursesQuery) -> Response:
    """List the caller's courses, the latest launched first."""
    found = listing.list_courses(services(), caller().name, everything=_all(query))
    return answer(Courses(courses=found))


@api.get("/active", responses=responses(200, Courses, *_ERRORS, 502, 503))
@allow(user)
def active_courses(query: CoursesQuery) -> Response:
    """List those of the caller's courses whose server runs."""
    return answer(
        Courses(
            courses=listing.list_active_courses(services(), caller().name, everything=_all(query))
        )
    )


@api.get("/current", responses=responses(200, CurrentCourse, *_ERRORS))
@allow(user)
def current_course() -> Response:
    """Return the course of the caller's latest launch."""
    return answer(CurrentCourse(course=listing.find_current_course(services(), caller().name)))


@api.get("/<course_id>", responses=responses(200, CourseDetail, *_OF_COURSE))
@allow(member_of(in_path))
def course(path: CoursePath) -> Response:
    """Return a course; its teachers also see its people and assignments."""
    return answer(listing.describe_course(services(), path.course_id, caller().name, role()))


@api.post("/<course_id>/open", responses=responses(202, OpenedCourse, *_OF_COURSE))
@allow(teacher_of(in_path))
def open_course(path: CoursePath) -> Response:
    """Start the course's server, unless it runs, and answer where it is."""
    with audit.recording(
        services().db,
        path.course_id,
        by=caller().name,
        action="course.open",
        message=message("audit.open"),
    ) as entry:
        opened = listing.open_server(services(), path.course_id)
        entry.needless = opened.server == "running"
    return answer(opened, 202)


@api.get("/<course_id>/audit", responses=responses(200, AuditPage, *_ERRORS, 404))
@allow(teacher_of(in_path))
def course_audit(path: CoursePath, query: PageQuery) -> Response:
    """List who did what to the course, the newest first."""
    return answer(
        audit.list_entries(services().db, path.course_id, page=query.page, per_page=query.per_page)
    )


@api.get("/<course_id>/settings", responses=responses(200, CourseSettings, *_OF_COURSE, 409, 413))
@allow(teacher_of(in_path))
def course_settings(path: CoursePath) -> Response:
    """Return what the course's nbgrader_config.py sets for feedback and solutions."""
    return answer(settings.read(services(), path.course_id))


@api.put("/<course_id>/settings", responses=responses(200, CourseSettings, *_OF_COURSE, 409, 413))
@allow(teacher_of(in_path))
def change_course_settings(path: CoursePath, body: CourseSettings) -> Response:
    """Change the course's nbgrader_config.py; whatever else is in it stays."""
    with audit.recording(
        services().db,
        path.course_id,
        by=caller().name,
        action="course.settings",
        message=message("audit.settings"),
    ):
        changed = settings.write(services(), path.course_id, body)
    return answer(changed)


@api.post("/<course_id>/autograde", responses=responses(202, JobInfo, *_OF_COURSE, 409))
@allow(teacher_of(in_path))
def autograde(path: CoursePath, body: AutogradeRequest) -> Response:
    """Grade an assignment's submissions as a job; its report names every student."""
    job_id = autograding.enqueue(
        services(),
        path.course_id,
        by=caller().name,
        assignment=body.assignment,
        students=body.students,
        collect=body.collect,
        again=body.regrade,
    )
    return answer_queued(job_id)


@api.post("/<course_id>/autograde/claim", responses=responses(200, AutogradeWork, *_ERRORS, 404))
@allow(account_of(in_path))
def claim_autograding(path: CoursePath, body: AutogradeTicket) -> Response:
    """Answer the course's server what it has to grade, for the ticket that it was sent."""
    work = autograding.claim(services(), path.course_id, body.ticket)
    return answer(AutogradeWork.model_validate(work))


def _all(query: CoursesQuery) -> bool:
    if query.all and not is_admin():
        raise Forbidden("admins_only")
    return query.all
