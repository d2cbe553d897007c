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

from ananke.demo.lms.claims import launch_claims, target_link_uri
from ananke.demo.lms.errors import PageError
from ananke.demo.lms.naming import subject
from ananke.demo.lms.platform import Platform, platform
from ananke.demo.lms.store import Activity, Enrolment, Hint, User, find_activity, find_user
from ananke.demo.lms.wire import json_answer

HINT_SECONDS = 3600

blueprint = Blueprint("oidc", __name__)


class AuthError(Exception):
    """An authentication request that ends in an OIDC error response (OIDC core 3.1.2.6)."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(words or code)
        self.code = code
        self.words = words


@blueprint.get("/launch")
def launch() -> AnyResponse:
    """Begin to open an activity as a person; `via=get` asks for a redirect instead of a form."""
    lms = platform()
    with lms.store.writing() as db:
        user, activity = _who_and_what(db)
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
            "target_link_uri": target_link_uri(lms, activity),
            "login_hint": subject(user, lms.manner),
            "lti_message_hint": value,
            "client_id": lms.config.client_id,
            "lti_deployment_id": lms.config.deployment_id,
        }
        title = activity.title
    url = lms.config.registration.initiation_url
    if request.args.get("via") == "get":
        return redirect(_with_fields(url, fields))
    return _form(url, fields, title)


def _who_and_what(db: Session) -> tuple[User, Activity]:
    """Find the person and the activity that the request names, if they may meet."""
    user_name, activity_name = request.args.get("user", ""), request.args.get("activity", "")
    if not user_name or not activity_name:
        raise PageError(400, "A launch names a user and an activity.")
    user, activity = find_user(db, user_name), find_activity(db, activity_name)
    if user is None:
        raise PageError(404, f"Nobody here is called “{user_name[:80]}”.")
    if activity is None:
        raise PageError(404, f"There is no activity “{activity_name[:80]}”.")
    if user.suspended:
        raise PageError(403, f"The account of {user.label} is suspended.")
    enrolment = db.get(Enrolment, (user.id, activity.course_id))
    if enrolment is None and not user.admin:
        raise PageError(403, f"{user.label} is not enrolled in {activity.course.title}.")
    if enrolment is not None and enrolment.suspended:
        raise PageError(403, f"The place of {user.label} in {activity.course.title} is suspended.")
    return user, activity


def _sign_in(user: User) -> str:
    """Make the browser's LMS session this person's; signing in as another begins a new one."""
    if session.get("user") != user.slug or "sid" not in session:
        session.clear()
        session["user"] = user.slug
        session["sid"] = secrets.token_urlsafe(16)
    sid = session["sid"]
    assert isinstance(sid, str)
    return sid


@blueprint.route("/lti/auth", methods=["GET", "POST"])
def authenticate() -> AnyResponse:
    """Answer an authentication request with an id_token, as a form that posts itself."""
    lms = platform()
    given = request.values
    hint = _take_hint(lms, given.get("lti_message_hint", ""))
    redirect_uri = given.get("redirect_uri", "")
    # Nothing, not even an error, may be sent to an address that is not registered.
    if redirect_uri not in lms.config.registration.redirect_uris:
        status = lms.manner.unregistered_status
        raise PageError(status, "The tool asked to be answered at an unregistered address.")
    fields: dict[str, str] = {}
    with lms.store.reading() as db:
        user, activity = db.get_one(User, hint.user_id), db.get_one(Activity, hint.activity_id)
        title = activity.title
        try:
            nonce = _checked_nonce(lms, user)
            fields["id_token"] = lms.key.sign(launch_claims(lms, db, user, activity, nonce))
        except AuthError as error:
            fields["error"] = error.code
            if error.words:
                fields["error_description"] = error.words
    state = given.get("state")
    if state is not None:
        fields["state"] = _as_moodle_filters(state)
    return _form(redirect_uri, fields, title)


def _take_hint(lms: Platform, value: str) -> Hint:
    """Use up the hint of this browser's begun launch; it stays used whatever comes of it."""
    with lms.store.writing() as db:
        hint = db.get(Hint, value) if value else None
        fresh = hint is not None and not hint.used and hint.made_at >= time.time() - HINT_SECONDS
        if hint is None or not fresh or hint.session != session.get("sid"):
            words = (
                "This way into the activity was used before or has ended. "
                "Open the activity again from its course."
            )
            raise PageError(404, words)
        hint.used = True
        return hint


def _checked_nonce(lms: Platform, user: User) -> str:
    """Check an authentication request; gives its nonce."""
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
    if given["login_hint"] != subject(user, lms.manner):
        raise AuthError("access_denied")
    if given.get("response_mode") != "form_post":
        words = "Invalid response_mode" if "response_mode" in given else "Missing response_mode"
        raise AuthError("invalid_request", words)
    if given.get("prompt", "" if lms.manner.require_prompt else "none") != "none":
        raise AuthError("invalid_request", "Invalid prompt")
    return given["nonce"]


def _as_moodle_filters(state: str) -> str:
    """Lose what looks like HTML: observed on Moodle, harmless to URL-safe characters."""
    return re.sub(r"<(?!\s)[^>]*(?:>|$)", "", state)


def _form(url: str, fields: dict[str, str], title: str) -> Response:
    page = render_template("post.html", url=url, fields=fields, title=title)
    return Response(page, headers={"Cache-Control": "no-store"})


def _with_fields(url: str, fields: dict[str, str]) -> str:
    return f"{url}?{urlencode(fields)}"


@blueprint.get("/lti/jwks")
def keys() -> Response:
    """Return the platform's public keys (RFC 7517)."""
    return json_answer(platform().key.jwks())
