"""Tables of Kore's database; those of the exchange are in ``exchange_models``.

Text from an LMS (titles, names, refusals) is kept as it came after cleaning by
``kore.shared.lti.claims``; it is never executed and never markup. Times are aware and in UTC.
Platforms, courses and members are written at launches, columns and scores when grades are sent,
jobs by ``kore.service.jobs``; backups are the index of ``kore.service.backups``.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kore.service.db.base import Base, MessageType, one_of
from kore.shared.messages import Message
from kore.shared.roles import Role


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


class JobState(enum.StrEnum):
    """A job's life. Only the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ScoreState(enum.StrEnum):
    """What is known of the last score for one student and column.

    ``SENDING`` is written before the request: after a kill it says that the LMS may hold
    the score already.
    """

    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"


class Platform(Base):
    """An LMS installation as one of its clients sees it (LTI 1.3: issuer and client id).

    ``service_hosts`` are hosts to which tokens and scores may go besides those of ``issuer`` and
    ``token_url``: URLs or names, with spaces between them.
    """

    __tablename__ = "platforms"
    __table_args__ = (UniqueConstraint("issuer", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str] = mapped_column(String(1024))
    client_id: Mapped[str] = mapped_column(String(255))
    token_url: Mapped[str] = mapped_column(String(2048))
    service_hosts: Mapped[str] = mapped_column(Text, default="", server_default="")
    seen_at: Mapped[datetime] = mapped_column(default=now)


class Course(Base):
    """An nbgrader course, born from one LMS activity (LTI resource link).

    ``id`` is also the name of its hub user and its nbgrader course id. ``opened_at`` is
    the first launch by an instructor, ``ready_at`` when everything about it stood.
    ``lineitem`` and ``lineitems`` are absent where the LMS has grades off.
    """

    __tablename__ = "courses"

    id: Mapped[str] = mapped_column(String(18), primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platforms.id"))
    deployment_id: Mapped[str] = mapped_column(String(255))
    resource_link_id: Mapped[str] = mapped_column(String(255))
    context_title: Mapped[str] = mapped_column(Text, default="")
    activity_title: Mapped[str] = mapped_column(Text, default="")
    lineitem: Mapped[str | None] = mapped_column(Text)
    lineitems: Mapped[str | None] = mapped_column(Text)
    ags_scopes: Mapped[str] = mapped_column(Text, default="")
    memberships_url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    opened_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    launched_at: Mapped[datetime] = mapped_column(default=now)

    platform: Mapped[Platform] = relationship(lazy="joined")
    members: Mapped[list[Member]] = relationship(
        back_populates="course", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def title(self) -> str:
        """Context title and activity title, as one line."""
        return " \u2013 ".join(t for t in (self.context_title, self.activity_title) if t) or self.id


class Member(Base):
    """A person in a course, as of their last launch.

    ``synced_at`` is when hub groups, share and gradebook were brought in line; None where
    that is still to be done.
    """

    __tablename__ = "members"
    __table_args__ = (Index("ix_members_user", "user"),)

    course_id: Mapped[str] = mapped_column(
        ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True
    )
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    sub: Mapped[str] = mapped_column(String(255))
    role: Mapped[Role] = mapped_column(one_of(Role))
    name: Mapped[str] = mapped_column(Text, default="")
    given_name: Mapped[str] = mapped_column(Text, default="")
    family_name: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(Text, default="")
    return_url: Mapped[str | None] = mapped_column(Text)
    launched_at: Mapped[datetime] = mapped_column(default=now)
    synced_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship(back_populates="members")


class Column(Base):
    """A gradebook column of the LMS (AGS line item) that Kore writes into.

    ``assignment`` is an nbgrader assignment's name, or ``""`` for the course's total.
    """

    __tablename__ = "columns"

    course_id: Mapped[str] = mapped_column(
        ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True
    )
    assignment: Mapped[str] = mapped_column(String(255), primary_key=True, default="")
    url: Mapped[str] = mapped_column(Text)


class Score(Base):
    """The last score sent, or being sent, for one student into one column.

    ``timestamp`` is the one in the score message: it grows strictly with each that is sent
    (AGS 2.0, section 3.4.8), and names the message when it has to be repeated.
    """

    __tablename__ = "scores"

    course_id: Mapped[str] = mapped_column(
        ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True
    )
    assignment: Mapped[str] = mapped_column(String(255), primary_key=True, default="")
    user: Mapped[str] = mapped_column(String(255), primary_key=True)
    given: Mapped[float]
    maximum: Mapped[float]
    timestamp: Mapped[datetime]
    state: Mapped[ScoreState] = mapped_column(one_of(ScoreState))
    message: Mapped[Message | None] = mapped_column(MessageType, nullable=False)
    job_id: Mapped[str | None] = mapped_column(String(32))


class Backup(Base):
    """A whole archive of a course in Kore's state. See ``kore.service.backups``.

    ``course_id`` is the course that it is kept for, ``source_course`` the one that it is of;
    no row of theirs need be there any more. ``size`` is in bytes; ``sources`` are the files
    below ``source/`` with their places in the archive, for those who only look, and
    ``manifest_at`` is where its manifest begins.
    """

    __tablename__ = "backups"
    __table_args__ = (Index("ix_backups_course", "course_id", "taken_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    course_id: Mapped[str] = mapped_column(String(18))
    source_course: Mapped[str] = mapped_column(String(18))
    title: Mapped[str] = mapped_column(Text, default="")
    contents: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(255))
    taken_by_name: Mapped[str] = mapped_column(Text, default="")
    kept_by: Mapped[str] = mapped_column(String(255))
    assignments: Mapped[int] = mapped_column(default=0)
    students: Mapped[int] = mapped_column(default=0)
    manifest_at: Mapped[int] = mapped_column(BigInteger)
    sources: Mapped[list[Any]] = mapped_column(JSON, default=list)


class Audit(Base):
    """What someone did to a course, and what came of it. See ``kore.service.audit``."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_course", "course_id", "at"),
        Index("ix_audit_job", "job_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[str] = mapped_column(String(18))
    at: Mapped[datetime] = mapped_column(default=now)
    by: Mapped[str] = mapped_column(String(255))
    by_name: Mapped[str] = mapped_column(Text, default="")
    action: Mapped[str] = mapped_column(String(64))
    message: Mapped[Message | None] = mapped_column(MessageType, nullable=False)
    outcome: Mapped[str] = mapped_column(String(16))
    job_id: Mapped[str | None] = mapped_column(String(32))


class Job(Base):
    """Work that can take over a second. See ``kore.service.jobs``.

    ``owner`` is the runner that works on it, alive while ``lease_until`` is ahead. ``subject``
    names the one assignment or problem that it is about, ``closes`` whether nothing is handed
    out or in while it works: both are its kind's business when it is queued.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state", "state", "created_at"),
        Index("ix_jobs_course", "course_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    course_id: Mapped[str | None] = mapped_column(String(18))
    subject: Mapped[str | None] = mapped_column(Text)
    closes: Mapped[bool] = mapped_column(default=False)
    created_by: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    state: Mapped[JobState] = mapped_column(one_of(JobState), default=JobState.QUEUED)
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    message: Mapped[Message | None] = mapped_column(MessageType, nullable=False)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(128))
    lease_until: Mapped[datetime | None]

    items: Mapped[list[JobItem]] = relationship(
        back_populates="job", cascade="all, delete-orphan", passive_deletes=True
    )


class JobItem(Base):
    """One line of a job's report: which student (or file), what happened, why."""

    __tablename__ = "job_items"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    label: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str] = mapped_column(String(32))
    message: Mapped[Message | None] = mapped_column(MessageType, nullable=False)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    job: Mapped[Job] = relationship(back_populates="items")
