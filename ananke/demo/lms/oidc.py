"""Opening the tool: OIDC third-party initiated login and the authentication response.

1EdTech Security Framework 1.0, section 5.1.1.
"""

from __future__ import annotations

import re
import secrets
import time
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, session
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ananke.demo.lms.claims import get_target_link_uri, make_launch_claims
from ananke.demo.lms.errors import PageError
from ananke.demo.lms.identifiers import get_subject
from ananke.demo.lms.platform import Platform, get_current_platform
from ananke.demo.lms.service_requests import make_json_response
from ananke.demo.lms.store import Activity, Enrolment, Hint, User, find_activity, find_user

HINT_SECONDS = 3600

blueprint = Blueprint("oidc", __name__)


class AuthError(Exception):
    """An invalid authentication request: an OIDC error response (OIDC core 3.1.2.6)."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(description or code)
        self.code = code
        self.description = description


@blueprint.get("/launch")
def launch() -> AnyResponse:
    """Begin a launch of an activity as a person; `via=get` asks for a redirect, not a form."""
    lms = get_current_platform()
    with lms.store.write_session() as db:
        user, activity = _find_user_and_activity(db)
        value = secrets.token_urlsafe(24)
        db.execute(delete(Hint).where(Hint.made_at < time.time() - HINT_SECONDS))
        hint = Hint(
            value=value,
            session=_sign_in(user),
            user_id=user.id,
            activity_id=activity.id,
            made_at=int(time.time()),
        )
        db.add(hint)
        fields = {
            "iss": lms.config.issuer,
            "target_link_uri": get_target_link_uri(lms, activity),
            "login_hint": get_subject(user, lms.profile),
            "lti_message_hint": value,
            "client_id": lms.config.client_id,
            "lti_deployment_id": lms.config.deployment_id,
        }
        title = activity.title
    url = lms.config.registration.initiation_url
    if request.args.get("via") == "get":
        return redirect(f"{url}?{urlencode(fields)}")
    return _render_form(url, fields, title)


def _find_user_and_activity(db: Session) -> tuple[User, Activity]:
    """Return the person and the activity of the request, if the person may open it."""
    user_name, activity_name = request.args.get("user", ""), request.args.get("activity", "")
    if not user_name or not activity_name:
        raise PageError(400, "A launch needs a user and an activity.")
    user, activity = find_user(db, user_name), find_activity(db, activity_name)
    if user is None:
        raise PageError(404, f"There is no user “{user_name[:80]}”.")
    if activity is None:
        raise PageError(404, f"There is no activity “{activity_name[:80]}”.")
    if user.suspended:
        raise PageError(403, f"The account of {user.label} is suspended.")
    enrolment = db.get(Enrolment, (user.id, activity.course_id))
    if enrolment is None and not user.admin:
        raise PageError(403, f"{user.label} is not enrolled in {activity.course.title}.")
    if enrolment is not None and enrolment.suspended:
        raise PageError(403, f"{user.label} is suspended in {activity.course.title}.")
    return user, activity


def _sign_in(user: User) -> str:
    """Sign the browser in as this person; another person gets a new session."""
    if session.get("user") != user.slug or "sid" not in session:
        session.clear()
        session["user"] = user.slug
        session["sid"] = secrets.token_urlsafe(16)
    sid = session["sid"]
    assert isinstance(sid, str)
    return sid


@blueprint.route("/lti/auth", methods=["GET", "POST"])
def authenticate() -> AnyResponse:
    """Answer an authentication request with an id_token, in a form that submits itself."""
    lms = get_current_platform()
    given = request.values
    hint = _use_hint(lms, given.get("lti_message_hint", ""))
    redirect_uri = given.get("redirect_uri", "")
    # Nothing, not even an error, may be sent to an unregistered URI.
    if redirect_uri not in lms.config.registration.redirect_uris:
        status = lms.profile.unregistered_status
        raise PageError(status, "The tool asked for an answer at an unregistered redirect URI.")
    fields: dict[str, str] = {}
    with lms.store.read_session() as db:
        user, activity = db.get_one(User, hint.user_id), db.get_one(Activity, hint.activity_id)
        title = activity.title
        try:
            nonce = _check_auth_request(lms, user)
            fields["id_token"] = lms.key.sign(make_launch_claims(lms, db, user, activity, nonce))
        except AuthError as error:
            fields["error"] = error.code
            if error.description:
                fields["error_description"] = error.description
    state = given.get("state")
    if state is not None:
        fields["state"] = _strip_tags_like_moodle(state)
    return _render_form(redirect_uri, fields, title)


def _use_hint(lms: Platform, value: str) -> Hint:
    """Return the hint of this browser's launch; it stays used whatever happens next."""
    with lms.store.write_session() as db:
        hint = db.get(Hint, value) if value else None
        fresh = hint is not None and not hint.used and hint.made_at >= time.time() - HINT_SECONDS
        if hint is None or not fresh or hint.session != session.get("sid"):
            message = (
                "This launch was already used, or has expired. "
                "Open the activity again from its course."
            )
            raise PageError(404, message)
        hint.used = True
        return hint


def _check_auth_request(lms: Platform, user: User) -> str:
    """Check an authentication request; return its nonce."""
    given = request.values
    required = ("scope", "response_type", "client_id", "redirect_uri", "login_hint", "nonce")
    for name in required:
        if not given.get(name):
            raise AuthError("invalid_request", f"Missing {name}")
    if given["scope"] != "openid":
        raise AuthError("invalid_scope")
    if given["response_type"] != "id_token":
        raise AuthError("unsupported_response_type")
    if given["client_id"] != lms.config.client_id:
        raise AuthError("unauthorized_client")
    if given["login_hint"] != get_subject(user, lms.profile):
        raise AuthError("access_denied")
    if given.get("response_mode") != "form_post":
        problem = "Invalid" if "response_mode" in given else "Missing"
        raise AuthError("invalid_request", f"{problem} response_mode")
    if given.get("prompt", "" if lms.profile.require_prompt else "none") != "none":
        raise AuthError("invalid_request", "Invalid prompt")
    return given["nonce"]


def _strip_tags_like_moodle(state: str) -> str:
    """Drop what looks like HTML: observed on Moodle; URL-safe characters are not affected."""
    return re.sub(r"<(?!\s)[^>]*(?:>|$)", "", state)


def _render_form(url: str, fields: dict[str, str], title: str) -> Response:
    page = render_template("post.html", url=url, fields=fields, title=title)
    return Response(page, headers={"Cache-Control": "no-store"})


@blueprint.get("/lti/jwks")
def show_keys() -> Response:
    """Return the platform's public keys (RFC 7517)."""
    return make_json_response(get_current_platform().key.jwks())
