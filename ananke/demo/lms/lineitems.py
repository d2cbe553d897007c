"""Assignment and Grade Services 2.0, section 3.2: line items."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.config import SCOPE_LINEITEM, SCOPE_LINEITEM_READ
from ananke.demo.lms.identifiers import get_link_id
from ananke.demo.lms.paging import Page, add_link_headers, cut_page
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
from ananke.demo.lms.store import Activity, Course, LineItem, get_time_us

CONTAINER_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
MAX_TEXT = 255

blueprint = Blueprint("lineitems", __name__)


def line_item_to_json(item: LineItem, profile: LmsProfile) -> dict[str, Any]:
    """Return a line item in the form of the standard."""
    body: dict[str, Any] = {
        "id": get_current_platform().service_urls.line_item(item),
        "label": item.label,
        "scoreMaximum": int(item.maximum) if item.maximum == int(item.maximum) else item.maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.activity is not None:
        body["resourceLinkId"] = get_link_id(item.activity, profile)
    if item.start_at:
        body["startDateTime"] = item.start_at
    if item.end_at:
        body["endDateTime"] = item.end_at
    return body


def find_line_item(db: Session, course_id: int, item_id: int) -> LineItem:
    """Return a line item of a course, or raise ServiceError."""
    item = db.get(LineItem, item_id)
    if item is None or item.course_id != course_id:
        raise ServiceError(404, "There is no such line item.")
    return item


@blueprint.get("/lti/services/<int:course_id>/lineitems")
@service_endpoint("lineitem", SCOPE_LINEITEM, SCOPE_LINEITEM_READ)
def list_items(course_id: int) -> Response:
    """List line items; filters resource_link_id, resource_id and tag; limit and paging."""
    require_query()
    require_accept(CONTAINER_TYPE)
    lms = get_current_platform()
    wanted = request.args
    with lms.store.read_session() as db:
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
                and get_link_id(item.activity, lms.profile) == wanted["resource_link_id"]
            ]
        page: Page[LineItem] = cut_page(items, lms.profile.page_size)
        body = [line_item_to_json(item, lms.profile) for item in page.entries]
    answer = make_json_response(body, CONTAINER_TYPE)
    filters = [(k, v) for k, v in wanted.items() if k in ("resource_link_id", "resource_id", "tag")]
    add_link_headers(
        answer, page, lambda extra: lms.service_urls.line_items(course_id, [*filters, *extra])
    )
    return answer


@blueprint.post("/lti/services/<int:course_id>/lineitems")
@service_endpoint("lineitem", SCOPE_LINEITEM)
def create_item(course_id: int) -> Response:
    """Create a line item; asked twice, it creates two."""
    require_query()
    require_content_type(ITEM_TYPE)
    lms = get_current_platform()
    values = _parse_line_item(read_json_object())
    with lms.store.write_session() as db:
        if db.get(Course, course_id) is None:
            raise ServiceError(404, "There is no such course.")
        activity = _find_activity(db, course_id, values.pop("link"))
        item = LineItem(course_id=course_id, activity=activity, **values)
        db.add(item)
        db.flush()
        body = line_item_to_json(item, lms.profile)
    answer = make_json_response(body, ITEM_TYPE, status=201)
    answer.headers["Location"] = body["id"]
    return answer


@blueprint.get("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service_endpoint("lineitem", SCOPE_LINEITEM, SCOPE_LINEITEM_READ)
def show_item(course_id: int, item_id: int) -> Response:
    """Return one line item."""
    require_query()
    require_accept(ITEM_TYPE)
    lms = get_current_platform()
    with lms.store.read_session() as db:
        return make_json_response(
            line_item_to_json(find_line_item(db, course_id, item_id), lms.profile), ITEM_TYPE
        )


@blueprint.put("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service_endpoint("lineitem", SCOPE_LINEITEM)
def change_item(course_id: int, item_id: int) -> Response:
    """Replace a line item's properties; without resourceLinkId it loses its link."""
    require_query()
    require_content_type(ITEM_TYPE)
    lms = get_current_platform()
    values = _parse_line_item(read_json_object())
    with lms.store.write_session() as db:
        item = find_line_item(db, course_id, item_id)
        activity = _find_activity(db, course_id, values.pop("link"))
        if item.own and activity is not item.activity:
            raise ServiceError(400, "An activity's own line item stays with its activity.")
        rescale_line_item(item, values.pop("maximum"))
        item.activity = activity
        for name, value in values.items():
            setattr(item, name, value)
        return make_json_response(line_item_to_json(item, lms.profile), ITEM_TYPE)


@blueprint.delete("/lti/services/<int:course_id>/lineitems/<int:item_id>/lineitem")
@service_endpoint("lineitem", SCOPE_LINEITEM)
def remove_item(course_id: int, item_id: int) -> Response:
    """Delete a line item that a tool created, with its grades."""
    require_query()
    lms = get_current_platform()
    with lms.store.write_session() as db:
        item = find_line_item(db, course_id, item_id)
        if item.own:
            raise ServiceError(403, "An activity's own line item cannot be deleted.")
        db.delete(item)
    return Response(status=204)


def rescale_line_item(item: LineItem, maximum: float) -> None:
    """Change a line item's maximum; its grades are rescaled and count as changed now."""
    if maximum == item.maximum:
        return
    for grade in item.grades:
        if grade.points is not None:
            grade.points = round(grade.points * maximum / item.maximum, 5)
        grade.stamp = get_time_us()
    item.maximum = maximum


def _find_activity(db: Session, course_id: int, link: str) -> Activity | None:
    if not link:
        return None
    profile = get_current_platform().profile
    found = db.scalars(select(Activity).where(Activity.course_id == course_id))
    activity = next((entry for entry in found if get_link_id(entry, profile) == link), None)
    if activity is None:
        raise ServiceError(400, "resourceLinkId names no activity of this course.")
    return activity


def _parse_line_item(body: dict[str, Any]) -> dict[str, Any]:
    """Check a line item from a tool; unknown properties are ignored."""
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
        values[column] = _parse_time(name, body.get(name))
    return values


def _parse_time(name: str, text: Any) -> str | None:
    if text in (None, ""):
        return None
    try:
        dt.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ServiceError(400, f"{name} is an ISO 8601 time.") from error
    assert isinstance(text, str)
    return text
