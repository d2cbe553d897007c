"""Assignment and Grade Services 2.0, sections 3.3 and 3.4: scores in, results out."""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request
from sqlalchemy.orm import Session

from ananke.demo.lms.config import SCOPE_RESULT, SCOPE_SCORE
from ananke.demo.lms.lineitems import find_item
from ananke.demo.lms.manners import Manner
from ananke.demo.lms.naming import subject, user_of
from ananke.demo.lms.paging import link_headers, page_of
from ananke.demo.lms.platform import platform
from ananke.demo.lms.sockets import break_connection
from ananke.demo.lms.store import Enrolment, Grade, LineItem, User, iso_time
from ananke.demo.lms.wire import (
    ServiceError,
    json_answer,
    json_object,
    require_accept,
    require_content,
    require_query,
    service,
)

SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
ACTIVITY_PROGRESS = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING_PROGRESS = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
DECIMALS = 5

blueprint = Blueprint("scores", __name__)


@dataclass
class Score:
    """A score as it came. `given` and `maximum` are both None where there is no score yet."""

    user: str
    stamp: int
    given: float | None
    maximum: float | None
    comment: str | None
    activity_progress: str
    grading_progress: str


@blueprint.post("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem/scores")
@service("score", SCOPE_SCORE)
def post_score(course_id: int, item_id: int) -> Response:
    """Take a score into the gradebook."""
    require_query()
    require_content(SCORE_TYPE)
    lms = platform()
    manner = lms.manner
    delay = lms.behaviour.settings.score_delay_ms
    if delay:
        time.sleep(delay / 1000)
    score = read_score(json_object(), manner)
    if manner.crashing_user_ids and not (score.user.isascii() and score.user.isdigit()):
        g.outcome = "bad_status_line"
        return break_connection("bad_status_line")
    with lms.store.writing() as db:
        item = find_item(db, course_id, item_id)
        user = _gradable(db, item, score, manner)
        _keep(db, item, user, score, manner)
        url = lms.addresses.result(item, score.user)
    if manner.score_body:
        return json_answer({"resultUrl": url}, status=manner.score_status)
    return Response(status=manner.score_status, content_type="application/json")


def _gradable(db: Session, item: LineItem, score: Score, manner: Manner) -> User:
    """Find the student whom a score is for, or refuse."""
    user = user_of(db, score.user, manner)
    enrolment = db.get(Enrolment, (user.id, item.course_id)) if user is not None else None
    refused = score.user in platform().behaviour.settings.refuse_users
    suspended = enrolment is not None and (enrolment.suspended or enrolment.user.suspended)
    if (
        user is None
        or enrolment is None
        or enrolment.role != "student"
        or refused
        or (suspended and not manner.suspended_scored)
    ):
        # Observed on Moodle: the reason repeats the whole body.
        words = (
            f"Incorrect score received{request.get_data(as_text=True)}"
            if manner.errors == "reason"
            else "User not found in course or is not a student."
        )
        raise ServiceError(manner.unknown_user_status, words)
    return user


def _keep(db: Session, item: LineItem, user: User, score: Score, manner: Manner) -> None:
    grade = db.get(Grade, (item.id, user.id))
    if grade is None:
        grade = Grade(line_item_id=item.id, user_id=user.id)
        grade.stamp = grade.writes = 0
        grade.comment = ""
        grade.overridden = grade.locked = False
    elif _is_stale(grade.stamp, score.stamp, manner):
        words = (
            f"Refusing score with an earlier timestamp for item {item.id} and user {score.user}"
            if manner.errors == "reason"
            else f"Provided timestamp of {iso_time(score.stamp)} before last updated timestamp "
            f"of {iso_time(grade.stamp)}"
        )
        raise ServiceError(manner.stale_status, words)
    if item.locked or grade.locked:
        raise ServiceError(manner.locked_status, "The grade is locked.")
    if grade.overridden and item.own and manner.silent_override:
        return
    finished = score.grading_progress == "FullyGraded"
    if score.given is not None and score.maximum and (finished or not manner.clears_unfinished):
        points = score.given * item.maximum / score.maximum
        grade.points = round(min(max(points, 0.0), item.maximum), DECIMALS)
    elif manner.clears_unfinished or finished:
        grade.points = None
    if score.comment is not None or not manner.keeps_comment:
        grade.comment = score.comment or ""
    grade.stamp = score.stamp
    grade.activity_progress = score.activity_progress
    grade.grading_progress = score.grading_progress
    grade.writes += 1
    db.add(grade)


def _is_stale(stored: int, given: int, manner: Manner) -> bool:
    if manner.whole_seconds:
        stored, given = stored // 1_000_000, given // 1_000_000
    return given <= stored if manner.equal_is_stale else given < stored


def read_score(body: dict[str, Any], manner: Manner) -> Score:
    """Check a score that the tool sent."""
    user = body.get("userId")
    if isinstance(user, int) and not isinstance(user, bool) and not manner.exact_values:
        user = str(user)
    if not isinstance(user, str) or not user:
        raise ServiceError(400, "userId is missing")
    given, maximum = _number(body, "scoreGiven"), _number(body, "scoreMaximum")
    if given is not None and maximum is None:
        raise ServiceError(400, "scoreMaximum not supplied when scoreGiven present")
    if given is not None and (given < 0 or (maximum or 0) <= 0):
        raise ServiceError(400, "scoreGiven is at least 0 and scoreMaximum above 0")
    comment = body.get("comment")
    if comment is not None and not isinstance(comment, str):
        raise ServiceError(400, "comment is a text")
    return Score(
        user=user,
        stamp=_stamp(body.get("timestamp"), manner),
        given=given,
        maximum=maximum,
        comment=comment,
        activity_progress=_one_of(body, "activityProgress", ACTIVITY_PROGRESS),
        grading_progress=_one_of(body, "gradingProgress", GRADING_PROGRESS),
    )


def _number(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ServiceError(400, f"{name} is a number")
    number = float(value)
    if not math.isfinite(number):
        raise ServiceError(400, f"{name} is a number")
    return number


def _one_of(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise ServiceError(400, f"{name} is one of {', '.join(allowed)}")
    return value


def _stamp(text: Any, manner: Manner) -> int:
    """Microseconds since 1970 of an ISO 8601 time with a zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        words = f"Provided timestamp of {text!r:.80} not a valid timestamp"
        raise ServiceError(400, words) from error
    if manner.exact_values and not re.search(r"[.,]\d", text):
        raise ServiceError(400, "The timestamp lacks its sub-second precision")
    if moment.tzinfo is None:
        if manner.exact_values:
            raise ServiceError(400, "The timestamp lacks its time zone")
        moment = moment.replace(tzinfo=dt.UTC)
    since = moment - dt.datetime.fromtimestamp(0, dt.UTC)
    return since // dt.timedelta(microseconds=1)


@blueprint.get("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem/results")
@service("result", SCOPE_RESULT)
def list_results(course_id: int, item_id: int) -> Response:
    """Grades of a column, all or one person's (`user_id`)."""
    require_query()
    require_accept(RESULTS_TYPE)
    lms = platform()
    manner = lms.manner
    if manner.results_limit_fails and "limit" in request.args:
        page = "<!DOCTYPE html><title>Error</title><p>Can't find data record in database.</p>"
        return Response(page, status=404, content_type="text/html; charset=utf-8")
    with lms.store.reading() as db:
        item = find_item(db, course_id, item_id)
        wanted = request.args.get("user_id")
        results = [
            _result_json(item, grade, manner)
            for grade in sorted(item.grades, key=lambda grade: grade.user_id)
            if wanted in (None, "", subject(grade.user, manner))
        ]
        shown = page_of(results, manner.page_size)
        answer = json_answer(list(shown.entries), RESULTS_TYPE)
        filters = [("user_id", wanted)] if wanted else []
        link_headers(answer, shown, lambda extra: lms.addresses.results(item, [*filters, *extra]))
    return answer


def _result_json(item: LineItem, grade: Grade, manner: Manner) -> dict[str, Any]:
    sub = subject(grade.user, manner)
    addresses = platform().addresses
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
    if manner.result_time:
        body["timestamp"] = iso_time(grade.stamp)
    return body
