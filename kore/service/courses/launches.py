"""What a launch from the LMS says about a course and a person, recorded in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from kore.service import jobs
from kore.service.db.engine import Database
from kore.service.db.models import Course, Member, Platform, now
from kore.shared.lti.claims import Launch
from kore.shared.roles import Role

PROVISION = jobs.JobKind("course.provision", exclusive=True, quiet=True)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome of ``record_launch``: the course, and whether a job was queued."""

    course_id: str
    queued: bool


def record_launch(
    db: Database,
    user: str,
    launch: Launch,
    *,
    token_url: str,
    service_hosts: Iterable[str] = (),
    user_created_at: datetime | None = None,
) -> Recorded:
    """Record a launch, and queue the set-up of what is new about it.

    ``user`` is the hub's name of the person. Someone whose hub user was made again since the
    last launch has lost groups and shares there, and gets them again. May be repeated, and
    called for the same course by many at once: there is one course, and one member for each
    person.
    """
    moment = now()
    with db.session() as session:
        platform_id = _platform(db, session, launch, token_url, service_hosts)
        course = _course(db, session, launch, platform_id)
        teacher = launch.role is Role.INSTRUCTOR
        if teacher:
            course.opened_at = course.opened_at or moment
        if teacher or not course.opened_at:
            # Titles follow the LMS, as its teachers see it; a student's launch fills the gap.
            course.context_title = launch.context_title or launch.context_label
            course.activity_title = launch.resource_link_title
        if teacher or launch.ags_lineitems or launch.ags_lineitem:
            # A new URL replaces an old one, and a second column makes `lineitem` vanish.
            course.lineitem = launch.ags_lineitem
            course.lineitems = launch.ags_lineitems
            course.ags_scopes = " ".join(launch.ags_scopes)
        course.memberships_url = launch.memberships_url or course.memberships_url
        course.launched_at = moment
        changed = _member(db, session, user, launch, user_created_at)
        queued = changed or course.ready_at is None
        if queued:
            jobs.enqueue(session, PROVISION, course_id=course.id, created_by=user, coalesce=True)
        return Recorded(course.id, queued)


def _platform(
    db: Database, session: Session, launch: Launch, token_url: str, service_hosts: Iterable[str]
) -> int:
    db.upsert(
        session,
        Platform,
        {"issuer": launch.issuer, "client_id": launch.client_id},
        {
            "token_url": token_url,
            "service_hosts": " ".join(service_hosts),
            "seen_at": now(),
        },
    )
    return session.scalars(
        select(Platform.id).where(
            Platform.issuer == launch.issuer, Platform.client_id == launch.client_id
        )
    ).one()


def _course(db: Database, session: Session, launch: Launch, platform_id: int) -> Course:
    db.upsert(
        session,
        Course,
        {"id": launch.course_id},
        {},
        only_new={
            "platform_id": platform_id,
            "deployment_id": launch.deployment_id,
            "resource_link_id": launch.resource_link_id,
        },
    )
    return session.scalars(
        select(Course).where(Course.id == launch.course_id).with_for_update(of=Course)
    ).one()


def _member(
    db: Database, session: Session, user: str, launch: Launch, created_at: datetime | None
) -> bool:
    """Record who launched. Return whether hub or gradebook still have to follow."""
    fields = {
        "sub": launch.sub,
        "role": launch.role,
        "name": launch.name,
        "given_name": launch.given_name,
        "family_name": launch.family_name,
        "email": launch.email,
    }
    key = {"course_id": launch.course_id, "user": user}
    db.upsert(session, Member, key, {}, only_new=fields)
    member = session.get_one(Member, (launch.course_id, user))
    if any(getattr(member, name) != value for name, value in fields.items()):
        member.synced_at = None
        for name, value in fields.items():
            setattr(member, name, value)
    elif created_at and member.synced_at and member.synced_at < created_at:
        member.synced_at = None
    member.return_url = launch.return_url or member.return_url
    member.launched_at = now()
    return member.synced_at is None


def queue_unfinished_set_ups(db: Database) -> int:
    """Queue the set-up of every course that a kill left unfinished. Return how many."""
    with db.session() as session:
        unfinished = session.scalars(
            select(Course.id).where(
                Course.ready_at.is_(None)
                | exists().where(Member.course_id == Course.id, Member.synced_at.is_(None))
            )
        ).all()
        for course_id in unfinished:
            jobs.enqueue(session, PROVISION, course_id=course_id, created_by="kore", coalesce=True)
    return len(unfinished)


def queue_set_up(db: Database, course_id: str) -> None:
    """Queue the whole set-up of a course whose hub user is gone, with all its people."""
    with db.session() as session:
        course = session.get(Course, course_id)
        if course is None:
            return
        course.ready_at = None
        session.execute(update(Member).where(Member.course_id == course_id).values(synced_at=None))
        jobs.enqueue(session, PROVISION, course_id=course_id, created_by="kore", coalesce=True)


def find_standing(db: Database, course_id: str, user: str) -> tuple[Role | None, bool]:
    """Return a user's role in a course, and whether the course is ready for them."""
    with db.reading() as session:
        row = session.execute(
            select(Member.role, Member.synced_at, Course.ready_at)
            .join(Course, Course.id == Member.course_id)
            .where(Member.course_id == course_id, Member.user == user)
        ).first()
    if row is None:
        return None, False
    return row.role, row.synced_at is not None and row.ready_at is not None
