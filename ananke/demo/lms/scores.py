"""Assignment and Grade Services 2.0, sections 3.3 and 3.4: scores and results."""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy.orm import Session

from ananke.demo.lms.broken_connections import break_connection
from ananke.demo.lms.config import SCOPE_RESULT, SCOPE_SCORE
from ananke.demo.lms.identifiers import find_user_by_subject, get_subject
from ananke.demo.lms.lineitems import find_line_item
from ananke.demo.lms.paging import add_link_headers, cut_page
from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.profiles import LmsProfile
from ananke.demo.lms.service_requests import (
    ServiceError,
    make_json_response,
    read_json_object,
    require_accept,
    require_content_type,
    require_query,
    service_endpoint,
)
from ananke.demo.lms.store import Enrolment, Grade, LineItem, User, format_iso

SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
ACTIVITY_PROGRESS = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING_PROGRESS = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
DECIMALS = 5

blueprint = Blueprint("scores", __name__)


@dataclass
class Score:
    """A score from a tool. `given` and `maximum` are both None if there is no score yet."""

    user: str
    stamp: int
    given: float | None
    maximum: float | None
    comment: str | None
    activity_progress: str
    grading_progress: str


@blueprint.post("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem/scores")
@service_endpoint("score", SCOPE_SCORE)
def post_score(course_id: int, item_id: int) -> Response:
    """Store a score in the gradebook."""
    require_query()
    require_content_type(SCORE_TYPE)
    lms = get_current_platform()
    profile = lms.profile
    delay = lms.behaviour.settings.score_delay_ms
    if delay:
        time.sleep(delay / 1000)
    score = parse_score(read_json_object(), profile)
    if profile.crashing_user_ids and not (score.user.isascii() and score.user.isdigit()):
        g.outcome = "bad_status_line"
        return break_connection("bad_status_line")
    with lms.store.write_session() as db:
        item = find_line_item(db, course_id, item_id)
        user = _find_student(db, item, score, profile)
        _store_score(db, item, user, score, profile)
        url = lms.service_urls.result(item, score.user)
    if profile.score_body:
        return make_json_response({"resultUrl": url}, status=profile.score_status)
    return Response(status=profile.score_status, content_type="application/json")


def _find_student(db: Session, item: LineItem, score: Score, profile: LmsProfile) -> User:
    """Return the student of a score, or raise ServiceError."""
    user = find_user_by_subject(db, score.user, profile)
    enrolment = db.get(Enrolment, (user.id, item.course_id)) if user is not None else None
    refused = score.user in get_current_platform().behaviour.settings.refuse_users
    suspended = enrolment is not None and (enrolment.suspended or enrolment.user.suspended)
    if (
        user is None
        or enrolment is None
        or enrolment.role != "student"
        or refused
        or (suspended and not profile.suspended_scored)
    ):
        # Observed on Moodle: the reason repeats the whole body.
        message = (
            f"Incorrect score received{request.get_data(as_text=True)}"
            if profile.errors == "reason"
            else "User not found in course or is not a student."
        )
        raise ServiceError(profile.unknown_user_status, message)
    return user


def _store_score(
    db: Session, item: LineItem, user: User, score: Score, profile: LmsProfile
) -> None:
    grade = db.get(Grade, (item.id, user.id))
    if grade is None:
        grade = Grade(line_item_id=item.id, user_id=user.id)
        grade.stamp = grade.writes = 0
        grade.comment = ""
        grade.overridden = grade.locked = False
    elif _is_stale(grade.stamp, score.stamp, profile):
        message = (
            f"Refusing score with an earlier timestamp for item {item.id} and user {score.user}"
            if profile.errors == "reason"
            else f"Provided timestamp of {format_iso(score.stamp)} before last updated timestamp "
            f"of {format_iso(grade.stamp)}"
        )
        raise ServiceError(profile.stale_status, message)
    if item.locked or grade.locked:
        raise ServiceError(profile.locked_status, "The grade is locked.")
    if grade.overridden and item.own and profile.silent_override:
        return
    finished = score.grading_progress == "FullyGraded"
    if score.given is not None and score.maximum and (finished or not profile.clears_unfinished):
        points = score.given * item.maximum / score.maximum
        grade.points = round(min(max(points, 0.0), item.maximum), DECIMALS)
    elif profile.clears_unfinished or finished:
        grade.points = None
    if score.comment is not None or not profile.keeps_comment:
        grade.comment = score.comment or ""
    grade.stamp = score.stamp
    grade.activity_progress = score.activity_progress
    grade.grading_progress = score.grading_progress
    grade.writes += 1
    db.add(grade)


def _is_stale(stored: int, given: int, profile: LmsProfile) -> bool:
    if profile.whole_seconds:
        stored, given = stored // 1_000_000, given // 1_000_000
    return given <= stored if profile.equal_is_stale else given < stored


def parse_score(body: dict[str, Any], profile: LmsProfile) -> Score:
    """Check a score from a tool."""
    user = body.get("userId")
    if isinstance(user, int) and not isinstance(user, bool) and not profile.exact_values:
        user = str(user)
    if not isinstance(user, str) or not user:
        raise ServiceError(400, "userId is missing")
    given, maximum = _read_number(body, "scoreGiven"), _read_number(body, "scoreMaximum")
    if given is not None and maximum is None:
        raise ServiceError(400, "scoreMaximum not supplied when scoreGiven present")
    if given is not None and (given < 0 or (maximum or 0) <= 0):
        raise ServiceError(400, "scoreGiven is at least 0 and scoreMaximum above 0")
    comment = body.get("comment")
    if comment is not None and not isinstance(comment, str):
        raise ServiceError(400, "comment is a text")
    return Score(
        user=user,
        stamp=_parse_timestamp(body.get("timestamp"), profile),
        given=given,
        maximum=maximum,
        comment=comment,
        activity_progress=_read_choice(body, "activityProgress", ACTIVITY_PROGRESS),
        grading_progress=_read_choice(body, "gradingProgress", GRADING_PROGRESS),
    )


def _read_number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ServiceError(400, f"{name} is a number")
    number = float(value)
    if not math.isfinite(number):
        raise ServiceError(400, f"{name} is a number")
    return number


def _read_choice(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise ServiceError(400, f"{name} is one of {', '.join(allowed)}")
    return value


def _parse_timestamp(text: Any, profile: LmsProfile) -> int:
    """Return microseconds since 1970 of an ISO 8601 time with a zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        message = f"Provided timestamp of {text!r:.80} not a valid timestamp"
        raise ServiceError(400, message) from error
    if profile.exact_values and not re.search(r"[.,]\d", text):
        raise ServiceError(400, "The timestamp lacks its sub-second precision")
    if moment.tzinfo is None:
        if profile.exact_values:
            raise ServiceError(400, "The timestamp lacks its time zone")
        moment = moment.replace(tzinfo=dt.UTC)
    since = moment - dt.datetime.fromtimestamp(0, dt.UTC)
    return since // dt.timedelta(microseconds=1)


@blueprint.get("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem/results")
@service_endpoint("result", SCOPE_RESULT)
def list_results(course_id: int, item_id: int) -> Response:
    """List the results of a line item, all or one person's (`user_id`)."""
    require_query()
    require_accept(RESULTS_TYPE)
    lms = get_current_platform()
    profile = lms.profile
    if profile.results_limit_fails and "limit" in request.args:
        page = "<!DOCTYPE html><title>Error</title><p>Can't find data record in database.</p>"
        return Response(page, status=404, content_type="text/html; charset=utf-8")
    with lms.store.read_session() as db:
        item = find_line_item(db, course_id, item_id)
        wanted = request.args.get("user_id")
        results = [
            _result_to_json(item, grade, profile)
            for grade in sorted(item.grades, key=lambda grade: grade.user_id)
            if wanted in (None, "", get_subject(grade.user, profile))
        ]
        shown = cut_page(results, profile.page_size)
        answer = make_json_response(list(shown.entries), RESULTS_TYPE)
        filters = [("user_id", wanted)] if wanted else []
        add_link_headers(
            answer, shown, lambda extra: lms.service_urls.results(item, [*filters, *extra])
        )
    return answer


def _result_to_json(item: LineItem, grade: Grade, profile: LmsProfile) -> dict[str, Any]:
    sub = get_subject(grade.user, profile)
    addresses = get_current_platform().service_urls
    body: dict[str, Any] = {
        "id": addresses.result(item, sub),
        "userId": sub,
        "scoreOf": addresses.line_item(item),
    }
    if grade.points is not None:
        body["resultScore"] = grade.points
        body["resultMaximum"] = item.maximum
    if grade.comment:
        body["comment"] = grade.comment
    if profile.result_time:
        body["timestamp"] = format_iso(grade.stamp)
    return body
