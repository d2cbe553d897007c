"""The LMS's column that a course's total goes into: found, or made once."""

from __future__ import annotations

from kore.service.db.models import Column, Course
from kore.service.errors import KoreError
from kore.service.grades.plans import TOTAL
from kore.service.lti import ags as scopes
from kore.service.lti.ags import Ags, LineItem
from kore.service.lti.errors import RefusedError
from kore.service.services import Services

TAG = "ananke-total"
_GONE = frozenset({404, 410})
_SETTINGS_HINT = (
    "In the LMS, let the tool add and use columns of the gradebook (in Moodle: the tool's "
    "services, “IMS LTI Assignment and Grade Services”), open the activity there again, "
    "and send anew."
)


def require_grades(course: Course) -> None:
    """Raise a 409 where the LMS said at the launch that it takes no grades."""
    offered = course.ags_scopes.split()
    if not (course.lineitem or course.lineitems) or (offered and scopes.SCORE not in offered):
        raise KoreError(
            409,
            "grades_off",
            "The LMS takes no grades for this activity.",
            "In the LMS, let the activity accept grades from the tool, open it there again, "
            "and send anew.",
        )


def column_for(services: Services, ags: Ags, course: Course, maximum: float) -> str:
    """Return the URL of the column for a course's total, and remember it.

    What the launch named comes first, then what was used before, then what the LMS lists
    for the activity; only where there is none is one made. Raises KoreError where there is
    no way, and what ``Ags`` raises.
    """
    granted = ags.granted()
    if scopes.SCORE not in granted:
        raise KoreError(
            409, "grades_not_granted", "The LMS does not let Kore send scores.", _SETTINGS_HINT
        )
    with services.db.reading() as session:
        stored = session.get(Column, (course.id, TOTAL))
    used = stored.url if stored else None
    may_look = bool({scopes.LINEITEM, scopes.LINEITEM_READONLY} & granted)
    for url in dict.fromkeys(u for u in (course.lineitem, used) if u):
        # Without the right to look it has to be believed.
        if not may_look or _is_there(ags, url):
            return _remember(services, course, url, used)
    if course.lineitems and may_look:
        found = _own(
            ags.columns(course.lineitems, resource_link_id=course.resource_link_id), course
        )
        if found is None and scopes.LINEITEM in granted:
            found = ags.create_column(
                course.lineitems,
                label=course.activity_title or course.title,
                maximum=maximum,
                resource_link_id=course.resource_link_id,
                resource_id=course.id,
                tag=TAG,
            )
        if found is not None:
            return _remember(services, course, found.url, used)
    raise KoreError(
        409,
        "column_missing",
        "The LMS has no column for this activity, and does not let Kore make one.",
        _SETTINGS_HINT,
    )


def _is_there(ags: Ags, url: str) -> bool:
    try:
        ags.column(url)
    except RefusedError as error:
        return error.status not in _GONE
    return True


def _own(items: list[LineItem], course: Course) -> LineItem | None:
    """Return the column that Kore made, or else the activity's only one."""
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
