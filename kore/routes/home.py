"""Kore's own pages, for people: the service ``kore`` in the hub's control panel."""

from __future__ import annotations

import time
from collections import Counter
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
from kore.courses.launches import PROVISION, standing
from kore.courses.provision import known_to_hub
from kore.errors import KoreError
from kore.grades.plans import JOB as GRADES_SEND
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
from kore.handin import quotas
from kore.roles import Role
from kore.routes import presenting
from kore.schemas import CourseDetail, GradesPreview

pages = Blueprint("pages", __name__)
pages.add_app_template_filter(presenting.points)
pages.add_app_template_filter(presenting.size)
pages.add_app_template_filter(presenting.moment)
pages.add_app_template_filter(presenting.entry_kind)

_TEACHING = frozenset({"instructor", "admin"})
_WAIT_SECONDS, _LOOK_SECONDS, _MOST_TRIES = 4.0, 0.1, 20


@pages.app_context_processor
def _places() -> dict[str, str]:
    """Give every page the hub's addresses."""
    hub = services().settings.base_url + "hub/"
    return {"hub": hub, "own_lab": hub + "user-redirect/lab"}


@pages.get("/")
@allow(user)
def courses() -> str:
    """List the caller's courses; to a hub admin who asks, every course."""
    admin = is_admin()
    everything = admin and request.args.get("all") == "true"
    found = listing.courses_of(services(), caller().name, everything=everything)
    return render_template(
        "courses.html",
        courses=found,
        everything=everything,
        admin=admin,
        teaches=any(course.role in _TEACHING for course in found),
    )


@pages.get("/page/courses/<course_id>")
@allow(member_of(in_path))
def course(course_id: str) -> str:
    """Show a course; to its teachers with the preview of its grades."""
    found = listing.detail(services(), course_id, caller().name)
    if found.role not in _TEACHING:
        return render_template("learner.html", course=found)
    preview, trouble = _preview(found)
    recent = jobs.of_course(services().db, course_id)
    return render_template(
        "course.html",
        course=found,
        preview=preview,
        trouble=trouble,
        entries=presenting.entries_in_order(preview.entries) if preview else [],
        jobs=presenting.worth_showing(recent),
        setting_up=next((job for job in recent if job.kind == PROVISION), None),
        exchange=quotas.state(services(), course_id, None),
        sending=next((job for job in recent if job.kind == GRADES_SEND and not job.ended_at), None),
        names={person.user: person.name for person in found.people},
    )


@pages.get("/page/jobs/<job_id>")
@allow(teacher_of(of_job))
def job(job_id: str) -> str:
    """Show a job's progress and its report."""
    report = jobs.report(services().db, job_id)
    assert report.course is not None  # the guard has found its course
    found = listing.detail(services(), report.course, caller().name)
    return render_template(
        "job.html",
        job=report,
        items=presenting.items_in_order(report.items),
        tally=Counter(item.outcome for item in report.items),
        again=presenting.to_repeat(report.items),
        course=found,
        names={person.user: person.name for person in found.people},
    )


@pages.get("/page/jobs/<job_id>.csv")
@allow(teacher_of(of_job))
def job_table(job_id: str) -> Response:
    """Hand out a job's report as a table for a spreadsheet."""
    report = jobs.report(services().db, job_id)
    words = current_app.jinja_env.get_template("_words.html").module
    response = Response(
        presenting.as_csv(report.items, words.table_header, words.outcomes),  # type: ignore[attr-defined]
        content_type="text/csv; charset=utf-8",
    )
    name = f"grades-{report.created_at:%Y-%m-%d-%H%M}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


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
        if ready and known_to_hub(services(), course_id):
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
    return make_response(render_template("error.html", error=error), error.status)


def _preview(found: CourseDetail) -> tuple[GradesPreview | None, KoreError | None]:
    """Return the preview of a course's grades, or why there is none."""
    if not found.grades_enabled or found.state == "new":
        return None, None
    try:
        return grades.preview(services(), found.id), None
    except KoreError as error:
        return None, error
