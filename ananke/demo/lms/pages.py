"""Pages for people: choosing a person and an activity, and the gradebook."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ananke.demo.lms.errors import PageError
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.store import Course, Enrolment, Grade, User, find_course, find_user

blueprint = Blueprint("pages", __name__)

ROLE_NAMES = {
    "teacher": "Teacher",
    "assistant": "Teaching assistant",
    "student": "Student",
    "admin": "Administrator",
}


@blueprint.app_template_filter("points")
def format_points(value: float) -> str:
    """Return points without needless decimals."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


@blueprint.app_template_filter("day_time")
def format_day_time(stamp: int) -> str:
    """Return microseconds since 1970 as date and time in UTC, for people."""
    moment = dt.datetime.fromtimestamp(stamp / 1_000_000, dt.UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


@blueprint.app_template_filter("machine_time")
def format_machine_time(stamp: int) -> str:
    """Return microseconds since 1970 as ISO 8601, for a `datetime` attribute."""
    return dt.datetime.fromtimestamp(stamp // 1_000_000, dt.UTC).isoformat()


@blueprint.get("/")
def home() -> str | Response:
    """Show the people, and the courses of the chosen one (`as`)."""
    with get_current_platform().store.read_session() as db:
        people = list(db.scalars(select(User).order_by(User.id)))
        wanted = request.args.get("as") or session.get("user", "")
        chosen = find_user(db, wanted) if wanted else None
        if chosen is None and "as" in request.args:
            raise PageError(404, f"There is no user “{request.args['as'][:80]}”.")
        if chosen is None:
            chosen = people[0]
        return render_template(
            "home.html",
            groups=_group_people(people),
            chosen=chosen,
            chosen_role=ROLE_NAMES[_find_main_role(chosen)],
            courses=_list_courses(db, chosen),
            roles=ROLE_NAMES,
        )


def _find_main_role(user: User) -> str:
    """Return a person's role on the first page: the highest one in any course."""
    held = {entry.role for entry in user.enrolments}
    if user.admin:
        return "admin"
    return next((role for role in ("teacher", "assistant") if role in held), "student")


def _group_people(people: list[User]) -> list[tuple[str, list[tuple[User, str]]]]:
    teaching = [
        (p, ROLE_NAMES[_find_main_role(p)]) for p in people if _find_main_role(p) != "student"
    ]
    students = [(p, ROLE_NAMES["student"]) for p in people if _find_main_role(p) == "student"]
    return [("Staff", teaching), ("Students", students)]


def _list_courses(db: Session, user: User) -> list[tuple[Course, str]]:
    """Return the courses that a person sees, with their role; an administrator sees all."""
    if user.admin:
        return [(course, "Administrator") for course in db.scalars(select(Course))]
    entries = db.scalars(select(Enrolment).where(Enrolment.user_id == user.id))
    return [(entry.course, ROLE_NAMES[entry.role]) for entry in entries if not entry.suspended]


@blueprint.get("/gradebook/<name>")
def gradebook(name: str) -> str:
    """Show a course's grades: a row for each student, a column for each line item."""
    with get_current_platform().store.read_session() as db:
        course = find_course(db, name)
        if course is None:
            raise PageError(404, f"There is no course “{name[:80]}”.")
        students = [entry.user for entry in course.enrolments if entry.role == "student"]
        cells: dict[tuple[int, int], Grade] = {
            (grade.user_id, item.id): grade for item in course.line_items for grade in item.grades
        }
        rows: list[dict[str, Any]] = [
            {
                "user": user,
                "grades": [cells.get((user.id, item.id)) for item in course.line_items],
            }
            for user in students
        ]
        return render_template("gradebook.html", course=course, rows=rows)


@blueprint.get("/favicon.ico")
def icon() -> Response:
    """Redirect browsers that ignore the page's icon to it."""
    return redirect(url_for("static", filename="leaf.svg"))
