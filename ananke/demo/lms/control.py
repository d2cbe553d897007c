"""The demo's levers, for tests and the curious; no real LMS has them.

People, courses and activities are made, grades changed as a teacher would, people suspended,
and the LMS told to be slow or to fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ananke.demo.lms import fields as f
from ananke.demo.lms.api import (
    activity_json,
    column_json,
    course_json,
    enrolment_json,
    grade_json,
    user_json,
)
from ananke.demo.lms.behaviour import BehaviourError
from ananke.demo.lms.claims import ROLES
from ananke.demo.lms.errors import PageError
from ananke.demo.lms.fixtures import add_own_column
from ananke.demo.lms.lineitems import rescale
from ananke.demo.lms.naming import opaque_subject
from ananke.demo.lms.platform import platform
from ananke.demo.lms.store import (
    Activity,
    Course,
    Enrolment,
    Grade,
    LineItem,
    User,
    find_activity,
    find_course,
    find_user,
    now_us,
)
from ananke.demo.lms.wire import json_answer

FIRST_SUB = 1000
Row = TypeVar("Row")

blueprint = Blueprint("control", __name__)

_COURSE = {"title": f.text, "slug": f.slug, "label": f.text, "people": f.mapping}
_USER = {
    "slug": f.slug,
    "sub": f.text,
    "name": f.text_or_empty,
    "given_name": f.text_or_empty,
    "family_name": f.text_or_empty,
    "email": f.text_or_empty,
    "locale": f.text,
    "admin": f.flag,
    "suspended": f.flag,
    "share_name": f.flag,
    "share_email": f.flag,
}
_ACTIVITY = {
    "course": f.text,
    "title": f.text,
    "slug": f.slug,
    "description": f.text_or_empty,
    "ags": f.flag,
    "column": f.flag,
    "maximum": f.positive,
    "nrps": f.flag,
    "context": f.flag,
    "share_name": f.flag,
    "share_email": f.flag,
    "target_link_uri": f.text,
    "custom": f.mapping,
}
_ENROLMENT = {
    "user": f.text,
    "course": f.text,
    "role": f.one_of(*ROLES, "none"),
    "roles": f.texts_or_null,
    "suspended": f.flag,
}
_GRADE = {
    "activity": f.text,
    "line_item": f.whole,
    "user": f.text,
    "points": f.number_or_null,
    "comment": f.text_or_empty,
    "overridden": f.flag,
    "locked": f.flag,
}
_COLUMN = {"label": f.text, "maximum": f.positive, "locked": f.flag}


def _change(make: Callable[[Session], dict[str, Any]], status: int = 200) -> Response:
    """Run one change in one transaction; a name that is taken is a 409."""
    try:
        with platform().store.writing() as db:
            body = make(db)
    except IntegrityError as error:
        raise PageError(409, "That name or sub is taken.") from error
    return json_answer(body, status=status)


def _found(row: Row | None, words: str) -> Row:
    if row is None:
        raise PageError(404, words)
    return row


def _course(db: Session, name: str) -> Course:
    return _found(find_course(db, name), f"There is no course “{name[:80]}”.")


def _user(db: Session, name: str) -> User:
    return _found(find_user(db, name), f"Nobody here is called “{name[:80]}”.")


@blueprint.post("/api/courses")
def make_course() -> Response:
    """Make a course; `people` gives roles by user."""
    values = f.read(_COURSE, "title")

    def make(db: Session) -> dict[str, Any]:
        number = (db.scalar(select(func.max(Course.id))) or 1) + 1
        course = Course(
            id=number,
            slug=values.get("slug", f"course-{number}"),
            title=values["title"],
            label=values.get("label", f"C{number}"),
        )
        db.add(course)
        for name, role in values.get("people", {}).items():
            if role not in ROLES:
                raise PageError(400, f"A role is one of: {', '.join(ROLES)}.")
            db.add(Enrolment(user=_user(db, name), course=course, role=role))
        db.flush()
        return course_json(course)

    return _change(make, 201)


@blueprint.post("/api/users")
def make_user() -> Response:
    """Make a person, enrolled nowhere yet. A `sub` that is given is used in every manner."""
    values = f.read(_USER)

    def make(db: Session) -> dict[str, Any]:
        number = (db.scalar(select(func.max(User.id))) or 0) + 1
        slug = values.pop("slug", f"user-{number}")
        sub = values.pop("sub", None)
        user = User(
            id=number,
            slug=slug,
            sub=sub or str(FIRST_SUB + number),
            opaque_sub=sub or opaque_subject(slug),
            **values,
        )
        db.add(user)
        db.flush()
        return user_json(user)

    return _change(make, 201)


@blueprint.put("/api/users/<name>")
def change_user(name: str) -> Response:
    """Change a person; slug and sub stay."""
    values = f.read({key: _USER[key] for key in _USER if key not in ("slug", "sub")})

    def make(db: Session) -> dict[str, Any]:
        user = _user(db, name)
        for key, value in values.items():
            setattr(user, key, value)
        return user_json(user)

    return _change(make)


@blueprint.post("/api/activities")
def make_activity() -> Response:
    """Make an activity; `column` false leaves out the gradebook column that it would bring."""
    values = f.read(_ACTIVITY, "course", "title")

    def make(db: Session) -> dict[str, Any]:
        course = _course(db, values.pop("course"))
        column, maximum = values.pop("column", True), values.pop("maximum", 100.0)
        number = max(db.scalar(select(func.max(Activity.id))) or 0, FIRST_SUB) + 1
        slug = values.pop("slug", f"activity-{number}")
        activity = Activity(id=number, course=course, slug=slug, **values)
        db.add(activity)
        db.flush()
        if column and activity.ags:
            add_own_column(db, activity, maximum)
        return activity_json(activity)

    return _change(make, 201)


@blueprint.put("/api/enrolments")
def change_enrolment() -> Response:
    """Enrol a person, change the part, suspend, or (`role` "none") unenrol."""
    values = f.read(_ENROLMENT, "user", "course")

    def make(db: Session) -> dict[str, Any]:
        user, course = _user(db, values["user"]), _course(db, values["course"])
        enrolment = db.get(Enrolment, (user.id, course.id))
        if values.get("role") == "none":
            if enrolment is not None:
                db.delete(enrolment)
            return {"user": user.slug, "course": course.slug, "role": "none"}
        if enrolment is None:
            enrolment = Enrolment(user=user, course=course, role="student", suspended=False)
            db.add(enrolment)
        for key in ("role", "roles", "suspended"):
            if key in values:
                setattr(enrolment, key, values[key])
        db.flush()
        return enrolment_json(enrolment)

    return _change(make)


@blueprint.put("/api/grades")
def change_grade() -> Response:
    """Change a grade as a teacher does in the gradebook: it counts as overridden, and as new."""
    values = f.read(_GRADE, "user")

    def make(db: Session) -> dict[str, Any]:
        user, item = _user(db, values["user"]), _item_named(db, values)
        grade = db.get(Grade, (item.id, user.id))
        if grade is None:
            grade = Grade(line_item=item, user=user, points=None)
            db.add(grade)
        for key in ("points", "comment", "locked"):
            if key in values:
                setattr(grade, key, values[key])
        grade.overridden = values.get("overridden", "points" in values)
        grade.stamp = now_us()
        db.flush()
        return grade_json(grade)

    return _change(make)


def _item_named(db: Session, values: dict[str, Any]) -> LineItem:
    """Find the column of a grade: by number, or the only or own one of an activity."""
    if "line_item" in values:
        return _found(db.get(LineItem, values["line_item"]), "There is no such column.")
    activity = _found(find_activity(db, values.get("activity", "")), "There is no such activity.")
    query = select(LineItem).where(LineItem.activity_id == activity.id)
    first = db.scalars(query.order_by(LineItem.own.desc(), LineItem.id)).first()
    return _found(first, "The activity has no column.")


@blueprint.put("/api/lineitems/<int:number>")
def change_column(number: int) -> Response:
    """Rename, rescale or lock a column."""
    values = f.read(_COLUMN)

    def make(db: Session) -> dict[str, Any]:
        item = _found(db.get(LineItem, number), "There is no such column.")
        item.label = values.get("label", item.label)
        item.locked = values.get("locked", item.locked)
        rescale(item, values.get("maximum", item.maximum))
        db.flush()
        return column_json(item)

    return _change(make)


@blueprint.get("/api/behaviour")
def show_behaviour() -> Response:
    """Show the settings of the LMS's behaviour."""
    return json_answer(platform().behaviour.as_json())


@blueprint.put("/api/behaviour")
def change_behaviour() -> Response:
    """Change some of the settings of the LMS's behaviour; a restart forgets them."""
    behaviour = platform().behaviour
    try:
        behaviour.change(request.get_json(silent=True))
    except BehaviourError as error:
        raise PageError(400, str(error)) from error
    return json_answer(behaviour.as_json())


@blueprint.get("/api/requests")
def show_requests() -> Response:
    """List the service requests seen since the start or the last DELETE, oldest first."""
    return json_answer({"requests": platform().behaviour.requests()})


@blueprint.delete("/api/requests")
def forget_requests() -> Response:
    """Empty the list of service requests."""
    platform().behaviour.forget_requests()
    return Response(status=204)
