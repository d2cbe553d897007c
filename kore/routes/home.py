"""Kore's own pages, for people: the service ``kore`` in the hub's control panel."""

from __future__ import annotations

import time
from http import HTTPStatus
from urllib.parse import quote

from flask import (
    Blueprint,
    Request,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from kore import grades, jobs
from kore.caller import callers
from kore.courses import listing
from kore.courses.launches import standing
from kore.errors import KoreError
from kore.guards import (
    allow,
    caller,
    in_path,
    is_admin,
    member_of,
    of_job,
    services,
    teacher_of,
    user,
)
from kore.roles import Role

pages = Blueprint("pages", __name__)

_WAIT_SECONDS, _LOOK_SECONDS, _MOST_TRIES = 4.0, 0.1, 20


@pages.get("/")
@allow(user)
def courses() -> str:
    """List the caller's courses; to a hub admin who asks, every course."""
    everything = request.args.get("all") == "true" and is_admin()
    return render_template(
        "courses.html",
        courses=listing.courses_of(services(), caller().name, everything=everything),
        everything=everything,
        admin=is_admin(),
        hub_home=services().settings.base_url + "hub/home",
        own_lab=f"{services().settings.base_url}hub/user-redirect/lab",
    )


@pages.get("/page/courses/<course_id>")
@allow(member_of(in_path))
def course(course_id: str) -> str:
    """Show a course; to its teachers with the preview of its grades."""
    found = listing.detail(services(), course_id, caller().name)
    teaches = found.role in {"instructor", "admin"}
    return render_template(
        "course.html",
        course=found,
        teaches=teaches,
        preview=grades.preview(services(), course_id) if teaches else None,
        jobs=jobs.of_course(services().db, course_id, most=10) if teaches else [],
        own_lab=f"{services().settings.base_url}hub/user-redirect/lab",
    )


@pages.get("/page/jobs/<job_id>")
@allow(teacher_of(of_job))
def job(job_id: str) -> str:
    """Show a job's progress and its report."""
    report = jobs.report(services().db, job_id)
    assert report.course is not None  # the guard has found its course
    return render_template(
        "job.html",
        job=report,
        course=listing.detail(services(), report.course, caller().name),
    )


@pages.get("/launch/<course_id>")
@allow(user)
def launch(course_id: str) -> ResponseReturnValue:
    """Bring a teacher, who comes from the LMS, into JupyterLab of the course.

    The launch itself is told by the hub at the same time, so the course may not stand yet.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        role, ready = standing(services().db, course_id, caller().name)
        if role is not None and role is not Role.INSTRUCTOR:
            return redirect(url_for("pages.course", course_id=course_id))
        if ready:
            lab = listing.links(services(), course_id).lab
            base = services().settings.base_url
            return redirect(f"{base}hub/spawn/{quote(course_id)}?next={quote(lab)}")
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    tries = request.args.get("tries", 0, type=int) + 1
    if tries > _MOST_TRIES:
        raise KoreError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "course_not_ready",
            "The course is not ready yet.",
            "Open the activity in your learning management system again. "
            "If it stays so, tell the administrator.",
        )
    response = make_response(render_template("waiting.html"))
    again = url_for("pages.launch", course_id=course_id, tries=tries)
    response.headers["Refresh"] = f"1; url={again}"
    return response


@pages.get("/oauth_callback")
@allow(None)
def oauth_callback() -> ResponseReturnValue:
    """Finish a sign-in at the hub (RFC 6749, section 4.1.2)."""
    if "error" in request.args:
        raise KoreError(
            HTTPStatus.FORBIDDEN,
            "login_refused",
            "The hub did not sign you in to Kore.",
            "Open the activity in your learning management system again.",
        )
    target = callers().finish_login(request.args.get("state", ""), request.args.get("code", ""))
    return redirect(target)


def wants_page(received: Request) -> bool:
    """Say whether whoever made a request reads its answer as a page."""
    if received.endpoint is None:
        return "text/html" in received.headers.get("Accept", "")
    return received.blueprint == pages.name


def error_page(error: KoreError) -> Response:
    """Render an error for a person."""
    with current_app.app_context():
        return make_response(render_template("error.html", error=error), error.status)
