"""Pages for people: who to be, what to open, and the gradebook."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from ananke.demo.lms.errors import PageError
from ananke.demo.lms.platform import platform
from ananke.demo.lms.store import Course, Enrolment, Grade, User, find_course, find_user

blueprint = Blueprint("pages", __name__)

ROLE_WORDS = {
    "teacher": "Teacher",
    "assistant": "Teaching assistant",
    "student": "Student",
    "admin": "Administrator",
}


@blueprint.app_template_filter("points")
def points(value: float) -> str:
    """Write points without needless decimals."""
    return f"{value:.5f}".rstrip("0").rstrip(".")


@blueprint.app_template_filter("day_time")
def day_time(stamp: int) -> str:
    """Write microseconds since 1970 as day and minute in UTC."""
    moment = dt.datetime.fromtimestamp(stamp / 1_000_000, dt.UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


@blueprint.app_template_filter("machine_time")
def machine_time(stamp: int) -> str:
    """Write microseconds since 1970 for a `datetime` attribute."""
    return dt.datetime.fromtimestamp(stamp // 1_000_000, dt.UTC).isoformat()


@blueprint.get("/")
def home() -> str | Response:
    """Choose who to be (`as`) and what to open."""
    with platform().store.reading() as db:
        people = list(db.scalars(select(User).order_by(User.id)))
        wanted = request.args.get("as") or session.get("user", "")
        chosen = find_user(db, wanted) if wanted else None
        if chosen is None and "as" in request.args:
            raise PageError(404, f"Nobody here is called “{request.args['as'][:80]}”.")
        if chosen is None:
            chosen = people[0]
        return render_template(
            "home.html",
            groups=_groups(people),
            chosen=chosen,
            chosen_role=ROLE_WORDS[_main_role(chosen)],
            courses=_courses_of(db, chosen),
            roles=ROLE_WORDS,
        )


def _main_role(user: User) -> str:
    """Find the word for a person on the first page: the most that they are anywhere."""
    held = {entry.role for entry in user.enrolments}
    if user.admin:
        return "admin"
    return next((role for role in ("teacher", "assistant") if role in held), "student")


def _groups(people: list[User]) -> list[tuple[str, list[tuple[User, str]]]]:
    teaching = [(p, ROLE_WORDS[_main_role(p)]) for p in people if _main_role(p) != "student"]
    students = [(p, ROLE_WORDS["student"]) for p in people if _main_role(p) == "student"]
    return [("Staff", teaching), ("Students", students)]


def _courses_of(db: Session, user: User) -> list[tuple[Course, str]]:
    """Courses that a person sees, with the part played there; an administrator sees all."""
    if user.admin:
        return [(course, "Administrator") for course in db.scalars(select(Course))]
    entries = db.scalars(select(Enrolment).where(Enrolment.user_id == user.id))
    return [(entry.course, ROLE_WORDS[entry.role]) for entry in entries if not entry.suspended]


@blueprint.get("/gradebook/<name>")
def gradebook(name: str) -> str:
    """Show a course's grades: a row a student, a column a line item."""
    with platform().store.reading() as db:
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
    """Lead browsers that do not read the page's icon to it."""
    return redirect(url_for("static", filename="leaf.svg"))
