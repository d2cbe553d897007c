"""Sets up a course in the hub and in nbgrader, and brings its people in line.

Every step may be repeated, so a kill between any two is mended by the next run: a course
counts as ready, and a member as in line, only after all that makes it so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select, update

from kore.service import jobs
from kore.service.coursedir import configfile, gradebook
from kore.service.coursedir.gradebook import StudentRecord
from kore.service.coursedir.layout import gradebook_path
from kore.service.courses.launches import queue_set_up
from kore.service.db.models import Course, Member, now
from kore.service.hubapi import HubApi
from kore.service.services import Services
from kore.shared.messages import message
from kore.shared.roles import Role

log = logging.getLogger(__name__)

_CONFIG = """\
# nbgrader's settings for this course, for its teachers to change. The form in Kore writes
# between two marks at the end; all else is yours.
# https://nbgrader.readthedocs.io/en/stable/configuration/
c = get_config()  # noqa: F821

# What students see instead of a solution:
# c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError()"}
"""


def formgrade_group(course_id: str) -> str:
    """Return the hub group of a course's teachers (nbgrader's name for it)."""
    return f"formgrade-{course_id}"


def student_group(course_id: str) -> str:
    """Return the hub group of a course's students (nbgrader's name for it)."""
    return f"nbgrader-{course_id}"


def provision(context: jobs.JobContext) -> None:
    """Do everything that is still to be done for a course. One runs for a course at a time."""
    services, course_id = context.services, context.course_id
    if course_id is None:
        raise ValueError("a set-up without a course")
    with services.db.reading() as session:
        course = session.get(Course, course_id)
        if course is None:
            return
        ready = course.ready_at is not None
        members = session.scalars(
            select(Member).where(Member.course_id == course_id, Member.synced_at.is_(None))
        ).all()
    if not ready:
        context.progress(0, 3, message("provision.setting_up"))
        _set_up(services, course_id)
        context.progress(1, 3, message("provision.enrolling"))
    _enrol(services, course_id, members)
    if not ready:
        with services.db.session() as session:
            session.execute(update(Course).where(Course.id == course_id).values(ready_at=now()))
        log.info("Course %s is ready", course_id)
    context.progress(3, 3, message("provision.ready"))


def is_known_to_hub(services: Services, course_id: str) -> bool:
    """Whether the hub has the course's user."""
    return services.hub.user(course_id) is not None


def restore_hub_user(services: Services, course_id: str) -> bool:
    """Queue the whole set-up again where the hub has lost the course's user; return whether."""
    if is_known_to_hub(services, course_id):
        return False
    queue_set_up(services.db, course_id)
    return True


def _set_up(services: Services, course_id: str) -> None:
    hub = services.hub
    hub.create_user(course_id)
    for group in (formgrade_group(course_id), student_group(course_id)):
        hub.create_group(group)
        hub.add_to_group(group, [course_id])
    root = services.host.prepare_course(course_id)
    gradebook.create(gradebook_path(root), course_id)
    configfile.create_file(root, _CONFIG)


def _enrol(services: Services, course_id: str, members: Sequence[Member]) -> None:
    if not members:
        return
    hub = services.hub
    teachers = [m for m in members if m.role is Role.INSTRUCTOR]
    learners = [m for m in members if m.role is Role.LEARNER]
    others = [m for m in members if m.role is not Role.INSTRUCTOR]
    outsiders = [m for m in members if m.role is not Role.LEARNER]

    # First take away, then give: a kill in between leaves nobody with too much.
    _withdraw_teaching(hub, course_id, others)
    if outsiders:
        hub.remove_from_group(student_group(course_id), [m.user for m in outsiders])
    unknown = set(hub.add_to_group(formgrade_group(course_id), [m.user for m in teachers]))
    unknown |= set(hub.add_to_group(student_group(course_id), [m.user for m in learners]))
    for member in teachers:
        if member.user not in unknown:
            hub.share_server(course_id, member.user)
    gradebook.enrol(
        gradebook_path(services.host.course_root(course_id)),
        course_id,
        [
            StudentRecord(
                user=m.user,
                given_name=m.given_name,
                family_name=m.family_name or m.name,
                email=m.email,
                lms_id=m.sub,
            )
            for m in learners
        ],
    )
    for user in sorted(unknown):
        log.warning("%s is not a user of the hub: not enrolled in %s", user, course_id)
    _mark(services, course_id, [m for m in members if m.user not in unknown])


def _withdraw_teaching(hub: HubApi, course_id: str, members: Sequence[Member]) -> None:
    """Take the course's server from people who do not teach it (any more)."""
    teachers = set(hub.group_members(formgrade_group(course_id)))
    former = [m.user for m in members if m.user in teachers]
    if not former:
        return
    hub.remove_from_group(formgrade_group(course_id), former)
    for user in former:
        hub.revoke_share(course_id, user)
    # A running server would let them in for minutes more.
    hub.stop_server(course_id)


def _mark(services: Services, course_id: str, members: Sequence[Member]) -> None:
    """Mark members as in line, unless a later launch has brought something new meanwhile."""
    moment = now()
    with services.db.session() as session:
        for member in members:
            session.execute(
                update(Member)
                .where(
                    Member.course_id == course_id,
                    Member.user == member.user,
                    Member.role == member.role,
                    Member.name == member.name,
                    Member.given_name == member.given_name,
                    Member.family_name == member.family_name,
                    Member.email == member.email,
                    Member.launched_at == member.launched_at,
                )
                .values(synced_at=moment)
            )
