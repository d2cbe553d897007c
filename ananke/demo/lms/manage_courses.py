"""Managing people, courses, activities and enrolments, for tests; no real LMS has this API."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ananke.demo.lms import json_fields as fields
from ananke.demo.lms.api import (
    activity_to_dict,
    course_to_dict,
    enrolment_to_dict,
    user_to_dict,
)
from ananke.demo.lms.changes import require_course, require_user, write_changes
from ananke.demo.lms.claims import ROLES
from ananke.demo.lms.errors import PageError
from ananke.demo.lms.identifiers import make_opaque_subject
from ananke.demo.lms.sample_data import add_own_line_item
from ananke.demo.lms.store import Activity, Course, Enrolment, User

FIRST_SUB = 1000

blueprint = Blueprint("manage_courses", __name__)

_COURSE = {
    "title": fields.is_text,
    "slug": fields.is_slug,
    "label": fields.is_text,
    "people": fields.is_text_mapping,
}
_USER = {
    "slug": fields.is_slug,
    "sub": fields.is_text,
    "name": fields.is_text_or_empty,
    "given_name": fields.is_text_or_empty,
    "family_name": fields.is_text_or_empty,
    "email": fields.is_text_or_empty,
    "locale": fields.is_text,
    "admin": fields.is_flag,
    "suspended": fields.is_flag,
    "share_name": fields.is_flag,
    "share_email": fields.is_flag,
}
_ACTIVITY = {
    "course": fields.is_text,
    "title": fields.is_text,
    "slug": fields.is_slug,
    "description": fields.is_text_or_empty,
    "ags": fields.is_flag,
    "column": fields.is_flag,
    "maximum": fields.is_positive,
    "nrps": fields.is_flag,
    "context": fields.is_flag,
    "share_name": fields.is_flag,
    "share_email": fields.is_flag,
    "target_link_uri": fields.is_text,
    "custom": fields.is_text_mapping,
}
_ENROLMENT = {
    "user": fields.is_text,
    "course": fields.is_text,
    "role": fields.make_choice_check(*ROLES, "none"),
    "roles": fields.is_text_list_or_null,
    "suspended": fields.is_flag,
}


@blueprint.post("/api/courses")
def make_course() -> Response:
    """Create a course; `people` maps users to roles."""
    values = fields.read_fields(_COURSE, "title")

    def change(db: Session) -> dict[str, Any]:
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
            db.add(Enrolment(user=require_user(db, name), course=course, role=role))
        db.flush()
        return course_to_dict(course)

    return write_changes(change, 201)


@blueprint.post("/api/users")
def make_user() -> Response:
    """Create a person without enrolments. A given `sub` is used in every profile."""
    values = fields.read_fields(_USER)

    def change(db: Session) -> dict[str, Any]:
        number = (db.scalar(select(func.max(User.id))) or 0) + 1
        slug = values.pop("slug", f"user-{number}")
        sub = values.pop("sub", None)
        user = User(
            id=number,
            slug=slug,
            sub=sub or str(FIRST_SUB + number),
            opaque_sub=sub or make_opaque_subject(slug),
            **values,
        )
        db.add(user)
        db.flush()
        return user_to_dict(user)

    return write_changes(change, 201)


@blueprint.put("/api/users/<name>")
def change_user(name: str) -> Response:
    """Change a person, except for slug and sub."""
    values = fields.read_fields({key: _USER[key] for key in _USER if key not in ("slug", "sub")})

    def change(db: Session) -> dict[str, Any]:
        user = require_user(db, name)
        for key, value in values.items():
            setattr(user, key, value)
        return user_to_dict(user)

    return write_changes(change)


@blueprint.post("/api/activities")
def make_activity() -> Response:
    """Create an activity; `column` false leaves out its own line item."""
    values = fields.read_fields(_ACTIVITY, "course", "title")

    def change(db: Session) -> dict[str, Any]:
        course = require_course(db, values.pop("course"))
        column, maximum = values.pop("column", True), values.pop("maximum", 100.0)
        number = max(db.scalar(select(func.max(Activity.id))) or 0, FIRST_SUB) + 1
        slug = values.pop("slug", f"activity-{number}")
        activity = Activity(id=number, course=course, slug=slug, **values)
        db.add(activity)
        db.flush()
        if column and activity.ags:
            add_own_line_item(db, activity, maximum)
        return activity_to_dict(activity)

    return write_changes(change, 201)


@blueprint.put("/api/enrolments")
def change_enrolment() -> Response:
    """Enrol a person, change the role, suspend, or unenrol (`role` "none")."""
    values = fields.read_fields(_ENROLMENT, "user", "course")

    def change(db: Session) -> dict[str, Any]:
        user, course = require_user(db, values["user"]), require_course(db, values["course"])
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
        return enrolment_to_dict(enrolment)

    return write_changes(change)
