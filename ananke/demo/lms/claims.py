"""The claims of a launch: LTI 1.3 core section 5, AGS 2.0 section 3.1, NRPS 2.0 section 3.6."""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.config import AGS_SCOPES, SCOPE_LINEITEM_READ
from ananke.demo.lms.identifiers import get_context_id, get_link_id, get_subject
from ananke.demo.lms.platform import Platform
from ananke.demo.lms.profiles import LmsProfile
from ananke.demo.lms.store import Activity, Enrolment, LineItem, User

ID_TOKEN_SECONDS = 60

LTI = "https://purl.imsglobal.org/spec/lti/claim"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
_VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2"
INSTRUCTOR = f"{_VOCABULARY}/membership#Instructor"
LEARNER = f"{_VOCABULARY}/membership#Learner"
ASSISTANT = f"{_VOCABULARY}/membership/Instructor#TeachingAssistant"
ADMIN_ROLES = [
    f"{_VOCABULARY}/institution/person#Administrator",
    INSTRUCTOR,
    f"{_VOCABULARY}/system/person#Administrator",
]
ROLES = ("teacher", "assistant", "student")


def get_launch_roles(user: User, enrolment: Enrolment | None, profile: LmsProfile) -> list[str]:
    """Return the role URNs of a person in a launch."""
    if enrolment is not None and enrolment.roles is not None:
        return list(enrolment.roles)
    if user.admin:
        return list(ADMIN_ROLES)
    role = enrolment.role if enrolment is not None else ""
    if role == "assistant" and profile.sub_roles:
        roles = [ASSISTANT] if profile.institution_roles else [ASSISTANT, INSTRUCTOR]
    else:
        roles = [LEARNER if role == "student" else INSTRUCTOR]
    if profile.institution_roles:
        person = "Student" if role == "student" else "Instructor"
        roles.insert(0, f"{_VOCABULARY}/institution/person#{person}")
        roles.append(f"{_VOCABULARY}/system/person#User")
    return roles


def make_launch_claims(
    lms: Platform, session: Session, user: User, activity: Activity, nonce: str
) -> dict[str, Any]:
    """Return the claims of the id_token for a person who opens an activity."""
    config, profile, course = lms.config, lms.profile, activity.course
    enrolment = session.get(Enrolment, (user.id, course.id))
    now = int(time.time())
    sub = get_subject(user, profile)
    claims: dict[str, Any] = {
        "iss": config.issuer,
        "sub": sub,
        "aud": [config.client_id] if profile.audience_list else config.client_id,
        "iat": now,
        "exp": now + ID_TOKEN_SECONDS,
        "nonce": nonce,
        f"{LTI}/version": "1.3.0",
        f"{LTI}/message_type": "LtiResourceLinkRequest",
        f"{LTI}/deployment_id": config.deployment_id,
        f"{LTI}/target_link_uri": get_target_link_uri(lms, activity),
        f"{LTI}/roles": get_launch_roles(user, enrolment, profile),
        f"{LTI}/resource_link": {
            "id": get_link_id(activity, profile),
            "title": _filter_title(activity.title, profile),
            "description": activity.description,
        },
        f"{LTI}/tool_platform": {
            "guid": "linden.example",
            "name": "Linden University",
            "product_family_code": profile.product,
            "version": profile.version,
        },
        f"{LTI}/launch_presentation": {
            "locale": user.locale,
            "document_target": "window",
            "return_url": f"{config.url}/?as={user.slug}",
        },
        f"{LTI}/custom": {"lms_user_id": sub, **activity.custom},
    }
    if profile.audience_list:
        claims["azp"] = config.client_id
    if activity.context:
        claims[f"{LTI}/context"] = {
            "id": get_context_id(course, profile),
            "label": course.label,
            "title": _filter_title(course.title, profile),
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"],
        }
    claims.update(_make_personal_claims(user, activity))
    if activity.ags:
        claims[AGS_CLAIM] = _make_grade_service_claim(lms, session, activity)
    if activity.nrps:
        claims[NRPS_CLAIM] = {
            "context_memberships_url": lms.service_urls.members(course.id),
            "service_versions": ["2.0"],
        }
    return claims


def get_target_link_uri(lms: Platform, activity: Activity) -> str:
    """Return where an activity leads: its own URI or the tool's."""
    return activity.target_link_uri or lms.config.registration.target_link_uri


def _make_personal_claims(user: User, activity: Activity) -> dict[str, str]:
    claims = {"locale": user.locale}
    if user.share_name and activity.share_name:
        names = {
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
        }
        claims.update({key: value for key, value in names.items() if value})
    if user.share_email and activity.share_email and user.email:
        claims["email"] = user.email
    return claims


def _make_grade_service_claim(
    lms: Platform, session: Session, activity: Activity
) -> dict[str, Any]:
    items = session.scalars(select(LineItem).where(LineItem.activity_id == activity.id)).all()
    granted = lms.behaviour.settings.granted_scopes
    claim: dict[str, Any] = {
        "scope": [s for s in AGS_SCOPES if s in granted and s != SCOPE_LINEITEM_READ],
        "lineitems": lms.service_urls.line_items(activity.course_id),
    }
    own = next((item for item in items if item.own), None)
    if lms.profile.own_lineitem_always and own is not None:
        claim["lineitem"] = lms.service_urls.line_item(own)
    elif len(items) == 1:
        claim["lineitem"] = lms.service_urls.line_item(items[0])
    return claim


def _filter_title(title: str, profile: LmsProfile) -> str:
    """Return a title as the LMS sends it: Moodle treats it as HTML and drops tags."""
    return re.sub(r"<(?!\s)[^>]*(?:>|$)", "", title) if profile.plain_titles else title
