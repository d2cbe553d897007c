"""Names and Role Provisioning Services 2.0: the people of a course."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ananke.demo.lms.claims import INSTRUCTOR, LEARNER, launch_roles
from ananke.demo.lms.config import SCOPE_MEMBERS
from ananke.demo.lms.manners import Manner
from ananke.demo.lms.naming import context_id, link_id, subject
from ananke.demo.lms.paging import link_headers, page_of
from ananke.demo.lms.platform import platform
from ananke.demo.lms.store import Course, Enrolment
from ananke.demo.lms.wire import (
    ServiceError,
    json_answer,
    require_accept,
    require_query,
    service,
)

MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

blueprint = Blueprint("nrps", __name__)


@blueprint.get("/lti/services/<int:course_id>/memberships")
@service("members", SCOPE_MEMBERS)
def members(course_id: int) -> Response:
    """List members; filters `role` and `rlid`; `limit` and paging."""
    require_query()
    require_accept(MEMBERS_TYPE)
    lms = platform()
    manner = lms.manner
    role, link = request.args.get("role", ""), request.args.get("rlid", "")
    with lms.store.reading() as db:
        course = db.get(Course, course_id)
        if course is None:
            raise ServiceError(404, "There is no such course.")
        if link and link not in [link_id(activity, manner) for activity in course.activities]:
            raise ServiceError(404, "rlid names no activity of this course.")
        people = [
            member
            for member in (_member(entry, manner) for entry in course.enrolments)
            if member is not None and _has_role(member, role)
        ]
        shown = page_of(people, manner.page_size)
        body = {
            "id": lms.addresses.members(course_id),
            "context": {
                "id": context_id(course, manner),
                "label": course.label,
                "title": course.title,
            },
            "members": list(shown.entries),
        }
    answer = json_answer(body, MEMBERS_TYPE)
    filters = [("rlid", link)] if link else []
    if role and not manner.forgets_role_filter:
        filters.append(("role", role))
    link_headers(
        answer,
        shown,
        lambda extra: lms.addresses.members(course_id, [*filters, *extra]),
        broken=False,
    )
    return answer


def _member(enrolment: Enrolment, manner: Manner) -> dict[str, Any] | None:
    user = enrolment.user
    suspended = user.suspended or enrolment.suspended
    if suspended and not manner.suspended_listed:
        return None
    body: dict[str, Any] = {
        "user_id": subject(user, manner),
        "roles": _roles(enrolment, manner),
    }
    if not manner.short_roles:
        body["status"] = "Inactive" if suspended else "Active"
    if user.share_name:
        body.update(name=user.label, given_name=user.given_name, family_name=user.family_name)
    if user.share_email and user.email:
        body["email"] = user.email
    return body


def _roles(enrolment: Enrolment, manner: Manner) -> list[str]:
    """Short names in Moodle, where a non-editing teacher is a Learner; else as at launch."""
    if enrolment.roles is not None or not manner.short_roles:
        return launch_roles(enrolment.user, enrolment, manner)
    return ["Instructor" if enrolment.role == "teacher" else "Learner"]


def _has_role(member: dict[str, Any], wanted: str) -> bool:
    same = {"Instructor": INSTRUCTOR, "Learner": LEARNER}
    names = {wanted, same.get(wanted, wanted)}
    names.update(short for short, full in same.items() if full == wanted)
    return not wanted or bool(names & set(member["roles"]))
