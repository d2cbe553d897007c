"""Courses as their people see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kore.service.coursedir import gradebook
from kore.service.coursedir.assignments import find_assignments
from kore.service.coursedir.layout import gradebook_path
from kore.service.coursedir.progress import (
    find_uncollected,
    find_ungraded,
    list_collected,
)
from kore.service.db.exchange_models import Handout, Submission
from kore.service.db.models import Course, Member
from kore.service.hubapi import ServerState
from kore.service.memberships import find_course
from kore.service.schemas import (
    AssignmentInfo,
    CourseDetail,
    CourseSummary,
    Links,
    OpenedCourse,
    Person,
)
from kore.service.services import Services
from kore.shared.roles import Role


def list_courses(services: Services, user: str, *, everything: bool = False) -> list[CourseSummary]:
    """List the courses of a user, or of the whole hub, the latest launched first."""
    with services.db.reading() as session:
        query = select(Course, Member.role).order_by(Course.launched_at.desc(), Course.id)
        joined = (Member.course_id == Course.id) & (Member.user == user)
        query = query.join(Member, joined, isouter=everything)
        rows = session.execute(query).all()
        heads = _count_members(session, [course.id for course, _ in rows])
        return [_to_summary(course, role, heads) for course, role in rows]


def list_active_courses(
    services: Services, user: str, *, everything: bool = False
) -> list[CourseSummary]:
    """List those of the courses whose server runs."""
    running = services.hub.running_servers("c-")
    return [c for c in list_courses(services, user, everything=everything) if c.id in running]


def find_current_course(services: Services, user: str) -> CourseSummary | None:
    """Return the course of a user's latest launch; of a course's own account, that course."""
    with services.db.reading() as session:
        course = session.get(Course, user)
        role: Role | None = Role.INSTRUCTOR
        if course is None:
            row = session.execute(
                select(Course, Member.role)
                .join(Member, Member.course_id == Course.id)
                .where(Member.user == user)
                .order_by(Member.launched_at.desc())
                .limit(1)
            ).first()
            if row is None:
                return None
            course, role = row
        return _to_summary(course, role, _count_members(session, [course.id]))


def describe_course(
    services: Services, course_id: str, user: str, role: Role | None
) -> CourseDetail:
    """Return a course as a user may see it: a learner sees neither people nor assignments.

    ``role`` is the user's in the course, None for a hub admin who is not a member.
    """
    with services.db.reading() as session:
        course = find_course(session, course_id)
        members = session.scalars(select(Member).where(Member.course_id == course_id)).all()
        summary = _to_summary(course, role, _count_members(session, [course_id]))
        return_url = next((m.return_url for m in members if m.user == user), None)
    if role in {Role.LEARNER, Role.OBSERVER}:
        return CourseDetail(**summary.model_dump(), return_url=return_url)
    people = sorted(
        (
            Person(user=m.user, name=m.name, role=m.role.value, launched_at=m.launched_at)
            for m in members
        ),
        key=lambda person: (person.role, person.name.casefold(), person.user),
    )
    return CourseDetail(
        **summary.model_dump(),
        return_url=return_url,
        server=services.hub.server_state(course_id).value,
        links=server_links(services, course_id),
        people=people,
        assignments=list_assignments(services, course_id),
    )


def server_links(services: Services, course_id: str) -> Links:
    """Return the pages of a course's server, as paths on the hub's host."""
    server = f"{services.settings.base_url}user/{course_id}/"
    return Links(lab=server + "lab", formgrader=server + "formgrader")


def open_server(services: Services, course_id: str) -> OpenedCourse:
    """Start a course's server, unless it runs; do not wait for it."""
    state = services.hub.start_server(course_id)
    return OpenedCourse(
        server="running" if state is ServerState.RUNNING else "starting",
        url=server_links(services, course_id).lab,
    )


def list_assignments(services: Services, course_id: str) -> list[AssignmentInfo]:
    """List a course's assignments: in its gradebook, released, or drafts that are folders."""
    root = services.host.course_root(course_id)
    path = gradebook_path(root)
    known = {a.name: a for a in gradebook.list_assignments(path, course_id)}
    released, latest = _read_exchange(services, course_id)
    collected = _count_by_assignment(list_collected(root))
    submitted = Counter(name for _, name in latest)
    graded = gradebook.list_graded(path, course_id)
    to_collect = _count_by_assignment(find_uncollected(root, latest))
    to_grade = _count_by_assignment(find_ungraded(root, graded))
    found: list[AssignmentInfo] = []
    for name in sorted({*known, *released, *find_assignments(root)}):
        entry = known.get(name)
        done = entry.submitted if entry else 0
        found.append(
            AssignmentInfo(
                name=name,
                due_at=entry.due_at if entry else None,
                state=(
                    "graded"
                    if done
                    else "collected"
                    if name in collected
                    else "released"
                    if name in released
                    else "draft"
                ),
                max_score=entry.max_score if entry else 0,
                submitted=submitted[name],
                collected=max(collected[name], done),
                graded=done,
                to_collect=to_collect[name],
                to_grade=to_grade[name],
                needs_manual=entry.needs_manual if entry else 0,
            )
        )
    return found


def _read_exchange(
    services: Services, course_id: str
) -> tuple[set[str], dict[tuple[str, str], datetime]]:
    """Return what is handed out, and when each student's latest work of each came in."""
    with services.db.reading() as session:
        released = session.scalars(select(Handout.name).where(Handout.course_id == course_id))
        latest = session.execute(
            select(Submission.user, Submission.assignment, func.max(Submission.received_at))
            .where(Submission.course_id == course_id)
            .group_by(Submission.user, Submission.assignment)
        )
        return set(released), {(user, name): moment for user, name, moment in latest}


def _count_by_assignment(waiting: Mapping[str, Iterable[str]]) -> Counter[str]:
    return Counter(name for names in waiting.values() for name in names)


def _count_members(session: Session, course_ids: Iterable[str]) -> dict[tuple[str, Role], int]:
    rows = session.execute(
        select(Member.course_id, Member.role, func.count())
        .where(Member.course_id.in_(list(course_ids)))
        .group_by(Member.course_id, Member.role)
    ).all()
    return {(course_id, role): number for course_id, role, number in rows}


def _to_summary(
    course: Course, role: Role | None, heads: dict[tuple[str, Role], int]
) -> CourseSummary:
    return CourseSummary(
        id=course.id,
        title=course.title,
        context_title=course.context_title,
        activity_title=course.activity_title,
        state="ready" if course.ready_at else "new",
        opened_by_teacher=course.opened_at is not None,
        role=role.value if role else "admin",
        grades_enabled=bool(course.lineitem or course.lineitems),
        created_at=course.created_at,
        launched_at=course.launched_at,
        instructors=heads.get((course.id, Role.INSTRUCTOR), 0),
        learners=heads.get((course.id, Role.LEARNER), 0),
    )
