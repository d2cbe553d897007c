"""The LMS's gradebook column (AGS line item) for a course's total: found, or created once."""

from __future__ import annotations

from http import HTTPStatus

from kore.service.db.models import Column, Course
from kore.service.errors import Conflict
from kore.service.grades.plans import TOTAL
from kore.service.lti import ags as scopes
from kore.service.lti.ags import Ags
from kore.service.lti.ags_models import LineItem
from kore.service.lti.errors import RefusedError
from kore.service.services import Services

TAG = "ananke-total"
_DELETED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def require_grades(course: Course) -> None:
    """Raise Conflict where the LMS said at the launch that it accepts no grades."""
    offered = course.ags_scopes.split()
    if not (course.lineitem or course.lineitems) or (offered and scopes.SCORE not in offered):
        raise Conflict("grades_off")


def find_or_create_line_item(services: Services, ags: Ags, course: Course, maximum: float) -> str:
    """Return the URL of the line item for a course's total, and remember it.

    The line item that the launch named comes first, then the one used before, then those that
    the LMS lists for the activity; only where there is none is one created. Raises Conflict
    where the LMS does not allow it, and what ``Ags`` raises.
    """
    granted = ags.granted_scopes()
    if scopes.SCORE not in granted:
        raise Conflict("grades_not_granted")
    with services.db.reading() as session:
        stored = session.get(Column, (course.id, TOTAL))
    used = stored.url if stored else None
    can_read = bool({scopes.LINEITEM, scopes.LINEITEM_READONLY} & granted)
    for url in dict.fromkeys(u for u in (course.lineitem, used) if u):
        # An LMS that has moved: the column is looked for again at its new host.
        if url != course.lineitem and not ags.is_trusted(url):
            continue
        # Without the right to read line items it has to be believed.
        if not can_read or _exists(ags, url):
            return _remember(services, course, url, used)
    if course.lineitems and can_read:
        found = _choose(
            ags.list_line_items(course.lineitems, resource_link_id=course.resource_link_id),
            course,
        )
        if found is None and scopes.LINEITEM in granted:
            found = ags.create_line_item(
                course.lineitems,
                label=course.activity_title or course.title,
                maximum=maximum,
                resource_link_id=course.resource_link_id,
                resource_id=course.id,
                tag=TAG,
            )
        if found is not None:
            return _remember(services, course, found.url, used)
    raise Conflict("column_missing")


def _exists(ags: Ags, url: str) -> bool:
    try:
        ags.get_line_item(url)
    except RefusedError as error:
        return error.http_status not in _DELETED
    return True


def _choose(items: list[LineItem], course: Course) -> LineItem | None:
    """Return the line item that Kore created, or else the activity's only one."""
    for item in items:
        if (item.tag, item.resource_id) == (TAG, course.id):
            return item
    linked = [item for item in items if item.resource_link_id == course.resource_link_id]
    return linked[0] if len(linked) == 1 else None


def _remember(services: Services, course: Course, url: str, used: str | None) -> str:
    if url != used:
        with services.db.session() as session:
            key = {"course_id": course.id, "assignment": TOTAL}
            services.db.upsert(session, Column, key, {"url": url})
    return url
