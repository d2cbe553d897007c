"""Names and Role Provisioning Services 2.0: the people of a course."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ananke.demo.lms.claims import INSTRUCTOR, LEARNER, get_launch_roles
from ananke.demo.lms.config import SCOPE_MEMBERS
from ananke.demo.lms.identifiers import get_context_id, get_link_id, get_subject
from ananke.demo.lms.paging import add_link_headers, cut_page
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.profiles import LmsProfile
from ananke.demo.lms.service_requests import (
    ServiceError,
    make_json_response,
    require_accept,
    require_query,
    service_endpoint,
)
from ananke.demo.lms.store import Course, Enrolment

MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

blueprint = Blueprint("nrps", __name__)


@blueprint.get("/lti/services/<int:course_id>/memberships")
@service_endpoint("members", SCOPE_MEMBERS)
def list_members(course_id: int) -> Response:
    """List members; filters `role` and `rlid`; `limit` and paging."""
    require_query()
    require_accept(MEMBERS_TYPE)
    lms = get_current_platform()
    profile = lms.profile
    role, link = request.args.get("role", ""), request.args.get("rlid", "")
    with lms.store.read_session() as db:
        course = db.get(Course, course_id)
        if course is None:
            raise ServiceError(404, "There is no such course.")
        if link and link not in [get_link_id(activity, profile) for activity in course.activities]:
            raise ServiceError(404, "rlid names no activity of this course.")
        people = [
            member
            for member in (_member_to_json(entry, profile) for entry in course.enrolments)
            if member is not None and _has_role(member, role)
        ]
        shown = cut_page(people, profile.page_size)
        body = {
            "id": lms.service_urls.members(course_id),
            "context": {
                "id": get_context_id(course, profile),
                "label": course.label,
                "title": course.title,
            },
            "members": list(shown.entries),
        }
    answer = make_json_response(body, MEMBERS_TYPE)
    filters = [("rlid", link)] if link else []
    if role and not profile.forgets_role_filter:
        filters.append(("role", role))
    add_link_headers(
        answer,
        shown,
        lambda extra: lms.service_urls.members(course_id, [*filters, *extra]),
        broken=False,
    )
    return answer


def _member_to_json(enrolment: Enrolment, profile: LmsProfile) -> dict[str, Any] | None:
    user = enrolment.user
    suspended = user.suspended or enrolment.suspended
    if suspended and not profile.suspended_listed:
        return None
    body: dict[str, Any] = {
        "user_id": get_subject(user, profile),
        "roles": _get_roles(enrolment, profile),
    }
    if not profile.short_roles:
        body["status"] = "Inactive" if suspended else "Active"
    if user.share_name:
        body.update(name=user.label, given_name=user.given_name, family_name=user.family_name)
    if user.share_email and user.email:
        body["email"] = user.email
    return body


def _get_roles(enrolment: Enrolment, profile: LmsProfile) -> list[str]:
    """Return the roles of a member: as in launches, but short in Moodle.

    There a non-editing teacher is a Learner.
    """
    if enrolment.roles is not None or not profile.short_roles:
        return get_launch_roles(enrolment.user, enrolment, profile)
    return ["Instructor" if enrolment.role == "teacher" else "Learner"]


def _has_role(member: dict[str, Any], wanted: str) -> bool:
    same = {"Instructor": INSTRUCTOR, "Learner": LEARNER}
    names = {wanted, same.get(wanted, wanted)}
    names.update(short for short, full in same.items() if full == wanted)
    return not wanted or bool(names & set(member["roles"]))
