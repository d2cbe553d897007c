"""Changing grades and line items like a teacher in the gradebook, for tests."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms import json_fields as fields
from ananke.demo.lms.api import grade_to_dict, line_item_to_dict
from ananke.demo.lms.changes import require_row, require_user, write_changes
from ananke.demo.lms.lineitems import rescale_line_item
from ananke.demo.lms.store import Grade, LineItem, find_activity, get_time_us

blueprint = Blueprint("manage_grades", __name__)

_GRADE = {
    "activity": fields.is_text,
    "line_item": fields.is_whole_number,
    "user": fields.is_text,
    "points": fields.is_number_or_null,
    "comment": fields.is_text_or_empty,
    "overridden": fields.is_flag,
    "locked": fields.is_flag,
}
_LINE_ITEM = {"label": fields.is_text, "maximum": fields.is_positive, "locked": fields.is_flag}


@blueprint.put("/api/grades")
def change_grade() -> Response:
    """Change a grade like a teacher in the gradebook: it is overridden, and changed now."""
    values = fields.read_fields(_GRADE, "user")

    def change(db: Session) -> dict[str, Any]:
        user, item = require_user(db, values["user"]), _find_line_item(db, values)
        grade = db.get(Grade, (item.id, user.id))
        if grade is None:
            grade = Grade(line_item=item, user=user, points=None)
            db.add(grade)
        for key in ("points", "comment", "locked"):
            if key in values:
                setattr(grade, key, values[key])
        grade.overridden = values.get("overridden", "points" in values)
        grade.stamp = get_time_us()
        db.flush()
        return grade_to_dict(grade)

    return write_changes(change)


def _find_line_item(db: Session, values: dict[str, Any]) -> LineItem:
    """Return the line item of a grade: by number, or the first (own) one of an activity."""
    if "line_item" in values:
        return require_row(db.get(LineItem, values["line_item"]), "There is no such line item.")
    activity = require_row(
        find_activity(db, values.get("activity", "")), "There is no such activity."
    )
    query = select(LineItem).where(LineItem.activity_id == activity.id)
    first = db.scalars(query.order_by(LineItem.own.desc(), LineItem.id)).first()
    return require_row(first, "The activity has no line item.")


@blueprint.put("/api/lineitems/<int:number>")
def change_line_item(number: int) -> Response:
    """Rename, rescale or lock a line item."""
    values = fields.read_fields(_LINE_ITEM)

    def change(db: Session) -> dict[str, Any]:
        item = require_row(db.get(LineItem, number), "There is no such line item.")
        item.label = values.get("label", item.label)
        item.locked = values.get("locked", item.locked)
        rescale_line_item(item, values.get("maximum", item.maximum))
        db.flush()
        return line_item_to_dict(item)

    return write_changes(change)
