"""Assignment and Grade Services 2.0, section 3.2: columns of the gradebook."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.config import SCOPE_LINEITEM, SCOPE_LINEITEM_READ
from ananke.demo.lms.manners import Manner
from ananke.demo.lms.naming import link_id
from ananke.demo.lms.paging import Page, link_headers, page_of
from ananke.demo.lms.platform import platform
from ananke.demo.lms.store import Activity, Course, LineItem, now_us
from ananke.demo.lms.wire import (
    ServiceError,
    json_answer,
    json_object,
    require_accept,
    require_content,
    require_query,
    service,
)

CONTAINER_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
MAX_TEXT = 255

blueprint = Blueprint("lineitems", __name__)


def item_json(item: LineItem, manner: Manner) -> dict[str, Any]:
    """Build the standard's form of a column."""
    body: dict[str, Any] = {
        "id": platform().addresses.line_item(item),
        "label": item.label,
        "scoreMaximum": int(item.maximum) if item.maximum == int(item.maximum) else item.maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.activity is not None:
        body["resourceLinkId"] = link_id(item.activity, manner)
    if item.start_at:
        body["startDateTime"] = item.start_at
    if item.end_at:
        body["endDateTime"] = item.end_at
    return body


def find_item(db: Session, course_id: int, item_id: int) -> LineItem:
    """Find a column of a course, or refuse."""
    item = db.get(LineItem, item_id)
    if item is None or item.course_id != course_id:
        raise ServiceError(404, "There is no such line item.")
    return item


@blueprint.get("/lti/services/<int:course_id>/lineitems")
@service("lineitem", SCOPE_LINEITEM, SCOPE_LINEITEM_READ)
def list_items(course_id: int) -> Response:
    """List columns; filters resource_link_id, resource_id and tag; limit and paging."""
    require_query()
    require_accept(CONTAINER_TYPE)
    lms = platform()
    wanted = request.args
    with lms.store.reading() as db:
        if db.get(Course, course_id) is None:
            raise ServiceError(404, "There is no such course.")
        query = select(LineItem).where(LineItem.course_id == course_id).order_by(LineItem.id)
        if wanted.get("resource_id"):
            query = query.where(LineItem.resource_id == wanted["resource_id"])
        if wanted.get("tag"):
            query = query.where(LineItem.tag == wanted["tag"])
        items = list(db.scalars(query))
        if wanted.get("resource_link_id"):
            items = [
                item
                for item in items
                if item.activity
                and link_id(item.activity, lms.manner) == wanted["resource_link_id"]
            ]
        page: Page[LineItem] = page_of(items, lms.manner.page_size)
        body = [item_json(item, lms.manner) for item in page.entries]
    answer = json_answer(body, CONTAINER_TYPE)
    filters = [(k, v) for k, v in wanted.items() if k in ("resource_link_id", "resource_id", "tag")]
    link_headers(
        answer, page, lambda extra: lms.addresses.line_items(course_id, [*filters, *extra])
    )
    return answer


@blueprint.post("/lti/services/<int:course_id>/lineitems")
@service("lineitem", SCOPE_LINEITEM)
def create_item(course_id: int) -> Response:
    """Make a column; the same one twice if asked twice."""
    require_query()
    require_content(ITEM_TYPE)
    lms = platform()
    values = _read_item(json_object())
    with lms.store.writing() as db:
        if db.get(Course, course_id) is None:
            raise ServiceError(404, "There is no such course.")
        activity = _activity_of(db, course_id, values.pop("link"))
        item = LineItem(course_id=course_id, activity=activity, **values)
        db.add(item)
        db.flush()
        body = item_json(item, lms.manner)
    answer = json_answer(body, ITEM_TYPE, status=201)
    answer.headers["Location"] = body["id"]
    return answer


@blueprint.get("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service("lineitem", SCOPE_LINEITEM, SCOPE_LINEITEM_READ)
def show_item(course_id: int, item_id: int) -> Response:
    """One column."""
    require_query()
    require_accept(ITEM_TYPE)
    lms = platform()
    with lms.store.reading() as db:
        return json_answer(item_json(find_item(db, course_id, item_id), lms.manner), ITEM_TYPE)


@blueprint.put("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service("lineitem", SCOPE_LINEITEM)
def change_item(course_id: int, item_id: int) -> Response:
    """Replace a column's properties; without resourceLinkId it is detached from its link."""
    require_query()
    require_content(ITEM_TYPE)
    lms = platform()
    values = _read_item(json_object())
    with lms.store.writing() as db:
        item = find_item(db, course_id, item_id)
        activity = _activity_of(db, course_id, values.pop("link"))
        if item.own and activity is not item.activity:
            raise ServiceError(400, "An activity's own column stays with its activity.")
        rescale(item, values.pop("maximum"))
        item.activity = activity
        for name, value in values.items():
            setattr(item, name, value)
        return json_answer(item_json(item, lms.manner), ITEM_TYPE)


@blueprint.delete("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service("lineitem", SCOPE_LINEITEM)
def remove_item(course_id: int, item_id: int) -> Response:
    """Remove a column that a tool made, with its grades."""
    require_query()
    lms = platform()
    with lms.store.writing() as db:
        item = find_item(db, course_id, item_id)
        if item.own:
            raise ServiceError(403, "An activity's own column cannot be deleted.")
        db.delete(item)
    return Response(status=204)


def rescale(item: LineItem, maximum: float) -> None:
    """Change a column's maximum; its grades keep their share of it and count as changed now."""
    if maximum == item.maximum:
        return
    for grade in item.grades:
        if grade.points is not None:
            grade.points = round(grade.points * maximum / item.maximum, 5)
        grade.stamp = now_us()
    item.maximum = maximum


def _activity_of(db: Session, course_id: int, link: str) -> Activity | None:
    if not link:
        return None
    manner = platform().manner
    found = db.scalars(select(Activity).where(Activity.course_id == course_id))
    activity = next((entry for entry in found if link_id(entry, manner) == link), None)
    if activity is None:
        raise ServiceError(400, "resourceLinkId names no activity of this course.")
    return activity


def _read_item(body: dict[str, Any]) -> dict[str, Any]:
    """Check a line item that the tool sent; unknown properties are passed over."""
    label, maximum = body.get("label"), body.get("scoreMaximum")
    if not isinstance(label, str) or not label.strip() or len(label) > MAX_TEXT:
        raise ServiceError(400, "label is a text of at most 255 characters.")
    if isinstance(maximum, bool) or not isinstance(maximum, int | float) or not maximum > 0:
        raise ServiceError(400, "scoreMaximum is a number above 0.")
    values: dict[str, Any] = {"label": label, "maximum": float(maximum)}
    for name, column in (("resourceId", "resource_id"), ("tag", "tag"), ("resourceLinkId", "link")):
        text = body.get(name) or ""
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ServiceError(400, f"{name} is a text of at most 255 characters.")
        values[column] = text
    for name, column in (("startDateTime", "start_at"), ("endDateTime", "end_at")):
        values[column] = _moment(name, body.get(name))
    return values


def _moment(name: str, text: Any) -> str | None:
    if text in (None, ""):
        return None
    try:
        dt.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ServiceError(400, f"{name} is an ISO 8601 time.") from error
    assert isinstance(text, str)
    return text
