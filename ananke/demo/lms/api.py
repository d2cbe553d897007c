"""The API for programs that read: people, courses, activities, and the gradebook."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select

from ananke.demo.lms.errors import PageError
from ananke.demo.lms.identifiers import get_context_id, get_link_id, get_subject
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.service_requests import make_json_response
from ananke.demo.lms.store import (
    Activity,
    Course,
    Enrolment,
    Grade,
    LineItem,
    User,
    find_course,
    format_iso,
)

blueprint = Blueprint("api", __name__)


@blueprint.get("/api/state")
def state() -> Response:
    """Return users, courses, activities, and the registration of the tool."""
    lms = get_current_platform()
    config = lms.config
    with lms.store.read_session() as db:
        body = {
            "profile": lms.profile.name,
            "registration": {
                "issuer": config.issuer,
                "authorize_url": config.authorize_url,
                "token_url": config.token_url,
                "jwks_url": config.jwks_url,
                **asdict(config.registration),
            },
            "users": [user_to_dict(user) for user in db.scalars(select(User).order_by(User.id))],
            "courses": [course_to_dict(entry) for entry in db.scalars(select(Course))],
            "activities": [activity_to_dict(entry) for entry in db.scalars(select(Activity))],
        }
    return make_json_response(body)


@blueprint.get("/api/gradebook")
def gradebook() -> Response:
    """Return the line items of one course (`course`: slug or number) with their grades."""
    lms = get_current_platform()
    name = request.args.get("course", "")
    if not name:
        raise PageError(400, "Name a course: /api/gradebook?course=…")
    with lms.store.read_session() as db:
        course = find_course(db, name)
        if course is None:
            raise PageError(404, f"There is no course “{name[:80]}”.")
        body = {
            "course": {"id": course.id, "slug": course.slug, "title": course.title},
            "line_items": [line_item_to_dict(item) for item in course.line_items],
        }
    return make_json_response(body)


def user_to_dict(user: User) -> dict[str, Any]:
    """Return a person as JSON; `sub` is the one in launches."""
    return {
        "slug": user.slug,
        "sub": get_subject(user, get_current_platform().profile),
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


def course_to_dict(course: Course) -> dict[str, Any]:
    """Return a course as JSON."""
    return {
        "id": course.id,
        "slug": course.slug,
        "title": course.title,
        "label": course.label,
        "context_id": get_context_id(course, get_current_platform().profile),
        "activities": [activity.slug for activity in course.activities],
        "people": [enrolment_to_dict(entry) for entry in course.enrolments],
    }


def enrolment_to_dict(enrolment: Enrolment) -> dict[str, Any]:
    """Return an enrolment as JSON."""
    return {
        "user": enrolment.user.slug,
        "course": enrolment.course.slug,
        "role": enrolment.role,
        "roles": enrolment.roles,
        "suspended": enrolment.suspended,
    }


def activity_to_dict(activity: Activity) -> dict[str, Any]:
    """Return an activity as JSON."""
    return {
        "id": activity.id,
        "slug": activity.slug,
        "course": activity.course.slug,
        "title": activity.title,
        "resource_link_id": get_link_id(activity, get_current_platform().profile),
        "ags": activity.ags,
        "nrps": activity.nrps,
        "context": activity.context,
        "share_name": activity.share_name,
        "share_email": activity.share_email,
        "target_link_uri": activity.target_link_uri,
        "custom": activity.custom,
    }


def line_item_to_dict(item: LineItem) -> dict[str, Any]:
    """Return a line item as JSON, with its grades in the order of people."""
    return {
        "id": item.id,
        "url": get_current_platform().service_urls.line_item(item),
        "label": item.label,
        "maximum": item.maximum,
        "activity": item.activity.slug if item.activity else None,
        "own": item.own,
        "resource_id": item.resource_id,
        "tag": item.tag,
        "locked": item.locked,
        "grades": [
            grade_to_dict(grade) for grade in sorted(item.grades, key=lambda grade: grade.user_id)
        ],
    }


def grade_to_dict(grade: Grade) -> dict[str, Any]:
    """Return a grade as JSON. `writes` counts the scores that a tool sent."""
    return {
        "user": grade.user.slug,
        "sub": get_subject(grade.user, get_current_platform().profile),
        "name": grade.user.label,
        "points": grade.points,
        "maximum": grade.line_item.maximum,
        "comment": grade.comment,
        "when": format_iso(grade.stamp),
        "activity_progress": grade.activity_progress,
        "grading_progress": grade.grading_progress,
        "overridden": grade.overridden,
        "locked": grade.locked,
        "writes": grade.writes,
    }
