"""The invented people and courses of a new LMS."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ananke.demo.lms.identifiers import make_opaque_subject
from ananke.demo.lms.store import Activity, Course, Enrolment, LineItem, User

# slug, sub, given name, family name, full name as written, locale
PEOPLE: list[tuple[str, str, str, str, str, str]] = [
    ("tilda", "101", "Tilda", "Lindenström", "Tilda Lindenström", "en"),
    ("marek", "102", "Marek", "Vymyšlený", "Marek Vymyšlený", "cs"),
    ("sefi", "103", "Sefi", "Example", "Sefi Example", "en"),
    ("admin", "2", "Ada", "Administrator", "Ada Administrator", "en"),
    ("zoe", "201", "Zoë", "Weißenfels-Ångström", "Zoë Weißenfels-Ångström", "de"),
    ("mila", "202", "Милана", "Придуманова", "Милана Придуманова", "ru"),
    ("niko", "203", "Νίκος", "Παραδειγματίδης", "Νίκος Παραδειγματίδης", "el"),
    ("layla", "204", "ليلى", "المثالية", "ليلى المثالية", "ar"),
    ("noam", "205", "נועם", "הדמיוני", "נועם הדמיוני", "he"),
    ("asha", "206", "आशा", "काल्पनिक", "आशा काल्पनिक", "hi"),
    ("wen", "207", "文", "样例", "样例文", "zh"),
    ("thu", "208", "Thu", "Thí Dụ", "Thí Dụ Thu", "vi"),
]
NAMELESS_TO_TOOLS = "thu"

COURSES: list[dict[str, Any]] = [
    {
        "slug": "numerics",
        "title": "Numerical Methods",
        "label": "NUM 101",
        "people": {
            "tilda": "teacher",
            "sefi": "assistant",
            **dict.fromkeys(
                ("zoe", "mila", "niko", "layla", "noam", "asha", "wen", "thu"), "student"
            ),
        },
        "activities": [
            {
                "slug": "roots",
                "title": "Roots and fixed points",
                "description": "Bisection, Newton's method, and when each of them fails.",
                "column": True,
            },
            {
                "slug": "systems",
                "title": "Linear systems",
                "description": "Elimination, condition numbers, and how to trust a solution.",
                "column": True,
            },
        ],
    },
    {
        "slug": "text",
        "title": "Text as Data",
        "label": "TXT 210",
        "people": {
            "tilda": "teacher",
            "marek": "teacher",
            **dict.fromkeys(("zoe", "mila", "layla", "wen"), "student"),
        },
        "activities": [
            {
                # Without a line item of its own: the tool must create one.
                "slug": "words",
                "title": "Counting words",
                "description": "What frequencies tell about an author, and what they hide.",
                "column": False,
            }
        ],
    },
]


def add_sample_data(session: Session) -> None:
    """Fill an empty database; one that has courses stays as it is."""
    if session.scalars(select(Course.id)).first() is not None:
        return
    people = {}
    for slug, sub, given, family, full, locale in PEOPLE:
        shared = slug != NAMELESS_TO_TOOLS
        people[slug] = User(
            slug=slug,
            sub=sub,
            opaque_sub=make_opaque_subject(slug),
            given_name=given,
            family_name=family,
            name=full,
            email=f"{slug}@linden.example",
            locale=locale,
            admin=slug == "admin",
            share_name=shared,
            share_email=shared,
        )
    session.add_all(people.values())
    # In a real LMS the ids of courses, links and line items rarely coincide; separate ranges
    # make a mix-up show here.
    for number, entry in enumerate(COURSES, 2):
        course = Course(id=number, slug=entry["slug"], title=entry["title"], label=entry["label"])
        session.add(course)
        for slug, role in entry["people"].items():
            session.add(Enrolment(user=people[slug], course=course, role=role))
        for place, described in enumerate(entry["activities"], 1):
            activity = Activity(
                id=number * 10 + place,
                course=course,
                slug=described["slug"],
                title=described["title"],
                description=described["description"],
            )
            session.add(activity)
            if described["column"]:
                session.flush()
                add_own_line_item(session, activity, 100.0)


def add_own_line_item(session: Session, activity: Activity, maximum: float) -> LineItem:
    """Add the line item that an LMS creates together with an activity."""
    item = LineItem(
        course_id=activity.course_id,
        activity_id=activity.id,
        own=True,
        label=activity.title,
        maximum=maximum,
    )
    session.add(item)
    return item
