"""What programs read: who and what there is, and the gradebook."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select

from ananke.demo.lms.errors import PageError
from ananke.demo.lms.naming import context_id, link_id, subject
from ananke.demo.lms.platform import platform
from ananke.demo.lms.store import (
    Activity,
    Course,
    Enrolment,
    Grade,
    LineItem,
    User,
    find_course,
    iso_time,
)
from ananke.demo.lms.wire import json_answer

blueprint = Blueprint("api", __name__)


@blueprint.get("/api/state")
def state() -> Response:
    """List users, courses, activities, and what the tool is registered with."""
    lms = platform()
    config = lms.config
    with lms.store.reading() as db:
        body = {
            "manner": lms.manner.name,
            "registration": {
                "issuer": config.issuer,
                "authorize_url": config.authorize_url,
                "token_url": config.token_url,
                "jwks_url": config.jwks_url,
                **asdict(config.registration),
            },
            "users": [user_json(user) for user in db.scalars(select(User).order_by(User.id))],
            "courses": [course_json(entry) for entry in db.scalars(select(Course))],
            "activities": [activity_json(entry) for entry in db.scalars(select(Activity))],
        }
    return json_answer(body)


@blueprint.get("/api/gradebook")
def gradebook() -> Response:
    """Columns of one course (`course`: slug or number) with their grades."""
    lms = platform()
    name = request.args.get("course", "")
    if not name:
        raise PageError(400, "Name a course: /api/gradebook?course=…")
    with lms.store.reading() as db:
        course = find_course(db, name)
        if course is None:
            raise PageError(404, f"There is no course “{name[:80]}”.")
        body = {
            "course": {"id": course.id, "slug": course.slug, "title": course.title},
            "line_items": [column_json(item) for item in course.line_items],
        }
    return json_answer(body)


def user_json(user: User) -> dict[str, Any]:
    """Build a person's entry; `sub` is the one that launches carry."""
    return {
        "slug": user.slug,
        "sub": subject(user, platform().manner),
        "name": user.label,
        "given_name": user.given_name,
        "family_name": user.family_name,
        "email": user.email,
        "locale": user.locale,
        "admin": user.admin,
        "suspended": user.suspended,
        "share_name": user.share_name,
        "share_email": user.share_email,
        "courses": {entry.course.slug: entry.role for entry in user.enrolments},
    }


def course_json(course: Course) -> dict[str, Any]:
    """Build a course's entry."""
    return {
        "id": course.id,
        "slug": course.slug,
        "title": course.title,
        "label": course.label,
        "context_id": context_id(course, platform().manner),
        "activities": [activity.slug for activity in course.activities],
        "people": [enrolment_json(entry) for entry in course.enrolments],
    }


def enrolment_json(enrolment: Enrolment) -> dict[str, Any]:
    """Build the entry of a person's part in a course."""
    return {
        "user": enrolment.user.slug,
        "course": enrolment.course.slug,
        "role": enrolment.role,
        "roles": enrolment.roles,
        "suspended": enrolment.suspended,
    }


def activity_json(activity: Activity) -> dict[str, Any]:
    """Build an activity's entry."""
    return {
        "id": activity.id,
        "slug": activity.slug,
        "course": activity.course.slug,
        "title": activity.title,
        "resource_link_id": link_id(activity, platform().manner),
        "ags": activity.ags,
        "nrps": activity.nrps,
        "context": activity.context,
        "share_name": activity.share_name,
        "share_email": activity.share_email,
        "target_link_uri": activity.target_link_uri,
        "custom": activity.custom,
    }


def column_json(item: LineItem) -> dict[str, Any]:
    """Build a column's entry with its grades, in the order of people."""
    return {
        "id": item.id,
        "url": platform().addresses.line_item(item),
        "label": item.label,
        "maximum": item.maximum,
        "activity": item.activity.slug if item.activity else None,
        "own": item.own,
        "resource_id": item.resource_id,
        "tag": item.tag,
        "locked": item.locked,
        "grades": [
            grade_json(grade) for grade in sorted(item.grades, key=lambda grade: grade.user_id)
        ],
    }


def grade_json(grade: Grade) -> dict[str, Any]:
    """Build a cell's entry. `writes` counts the scores that a tool brought."""
    return {
        "user": grade.user.slug,
        "sub": subject(grade.user, platform().manner),
        "name": grade.user.label,
        "points": grade.points,
        "maximum": grade.line_item.maximum,
        "comment": grade.comment,
        "when": iso_time(grade.stamp),
        "activity_progress": grade.activity_progress,
        "grading_progress": grade.grading_progress,
        "overridden": grade.overridden,
        "locked": grade.locked,
        "writes": grade.writes,
    }
