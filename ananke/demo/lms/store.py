"""The LMS's tables, in SQLite through SQLAlchemy; a kill loses nothing that was committed."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, create_engine, event, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

SCHEMA_VERSION = 1
MAX_DIGITS = 15


class StoreError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


class Base(DeclarativeBase):
    """Base class of the tables."""


class Course(Base):
    """A course; LTI calls it a context."""

    __tablename__ = "courses"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    label: Mapped[str]
    activities: Mapped[list[Activity]] = relationship(
        back_populates="course", order_by="Activity.id"
    )
    enrolments: Mapped[list[Enrolment]] = relationship(
        back_populates="course", order_by="Enrolment.user_id"
    )
    line_items: Mapped[list[LineItem]] = relationship(
        back_populates="course", order_by="LineItem.id"
    )


class Activity(Base):
    """A link in a course that opens the tool; LTI calls it a resource link."""

    __tablename__ = "activities"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    ags: Mapped[bool] = mapped_column(default=True)
    nrps: Mapped[bool] = mapped_column(default=True)
    context: Mapped[bool] = mapped_column(default=True)
    share_name: Mapped[bool] = mapped_column(default=True)
    share_email: Mapped[bool] = mapped_column(default=True)
    target_link_uri: Mapped[str | None]
    custom: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    course: Mapped[Course] = relationship(back_populates="activities")


class User(Base):
    """A person. `sub` is a number as text unless set otherwise; `opaque_sub` is a UUID."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    sub: Mapped[str] = mapped_column(unique=True)
    opaque_sub: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    given_name: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="en")
    admin: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False)
    share_name: Mapped[bool] = mapped_column(default=True)
    share_email: Mapped[bool] = mapped_column(default=True)
    enrolments: Mapped[list[Enrolment]] = relationship(back_populates="user")

    @property
    def label(self) -> str:
        """The name of this person in the LMS."""
        return self.name or f"{self.given_name} {self.family_name}".strip() or self.slug


class Enrolment(Base):
    """A person's role in a course. `roles`, if set, replaces the role claim."""

    __tablename__ = "enrolments"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    role: Mapped[str]
    roles: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    suspended: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship(back_populates="enrolments")
    course: Mapped[Course] = relationship(back_populates="enrolments")


class LineItem(Base):
    """A column of the gradebook. `own`: created by the LMS together with its activity."""

    __tablename__ = "line_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"))
    activity_id: Mapped[int | None] = mapped_column(ForeignKey("activities.id"))
    own: Mapped[bool] = mapped_column(default=False)
    label: Mapped[str]
    maximum: Mapped[float]
    resource_id: Mapped[str] = mapped_column(default="")
    tag: Mapped[str] = mapped_column(default="")
    start_at: Mapped[str | None]
    end_at: Mapped[str | None]
    locked: Mapped[bool] = mapped_column(default=False)
    course: Mapped[Course] = relationship(back_populates="line_items")
    activity: Mapped[Activity | None] = relationship()
    grades: Mapped[list[Grade]] = relationship(
        back_populates="line_item", cascade="all, delete-orphan"
    )


class Grade(Base):
    """A cell of the gradebook. `points` is out of the line item's maximum; None: cleared."""

    __tablename__ = "grades"
    line_item_id: Mapped[int] = mapped_column(ForeignKey("line_items.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    points: Mapped[float | None]
    comment: Mapped[str] = mapped_column(default="")
    # Microseconds since 1970: SQLite would lose the zone, and a float the last digits.
    stamp: Mapped[int] = mapped_column(default=0)
    activity_progress: Mapped[str] = mapped_column(default="")
    grading_progress: Mapped[str] = mapped_column(default="")
    overridden: Mapped[bool] = mapped_column(default=False)
    locked: Mapped[bool] = mapped_column(default=False)
    # Number of scores that changed this cell: shows whether a tool sends twice.
    writes: Mapped[int] = mapped_column(default=0)
    line_item: Mapped[LineItem] = relationship(back_populates="grades")
    user: Mapped[User] = relationship()


class Hint(Base):
    """A launch that has begun, bound to its browser session and person."""

    __tablename__ = "hints"
    value: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activities.id"))
    made_at: Mapped[int]
    used: Mapped[bool] = mapped_column(default=False)
    user: Mapped[User] = relationship()
    activity: Mapped[Activity] = relationship()


class Token(Base):
    """An issued access token; only its digest is stored."""

    __tablename__ = "tokens"
    digest: Mapped[str] = mapped_column(primary_key=True)
    scopes: Mapped[str]
    ends_at: Mapped[float]


class UsedAssertion(Base):
    """The `jti` of an accepted client assertion, stored until the assertion expires."""

    __tablename__ = "used_assertions"
    jti: Mapped[str] = mapped_column(primary_key=True)
    ends_at: Mapped[float]


def get_time_us() -> int:
    """Return the current time in microseconds since 1970."""
    return int(dt.datetime.now(dt.UTC).timestamp() * 1_000_000)


def format_iso(stamp: int) -> str:
    """Return microseconds since 1970 as ISO 8601 in UTC with microseconds."""
    moment = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=stamp)
    return moment.isoformat(timespec="microseconds")


class Store:
    """The database of one LMS.

    Transactions either read or write: a writing one takes SQLite's write lock at its beginning,
    so it cannot fail halfway.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Created here and not by SQLite, so that it is private from the beginning.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.engine = create_engine(f"sqlite:///{path}", pool_size=16, max_overflow=48)
        event.listen(self.engine, "connect", _on_connect)
        event.listen(self.engine, "begin", _on_begin)
        try:
            self._prepare()
        except DatabaseError as error:
            msg = f"{path} cannot be used ({error.orig}). Choose another state directory."
            raise StoreError(msg) from error

    def _prepare(self) -> None:
        with self.write_session() as session:
            version = session.execute(text("PRAGMA user_version")).scalar_one()
            if version not in (0, SCHEMA_VERSION):
                msg = (
                    f"{self.path} was written by another version of the demo. "
                    "Choose another state directory, or remove that file."
                )
                raise StoreError(msg)
            Base.metadata.create_all(session.connection())
            session.execute(text(f"PRAGMA user_version = {SCHEMA_VERSION}"))

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """Open a session that reads one consistent state."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write_session(self) -> Iterator[Session]:
        """Open a session that commits at the end, and rolls back on an exception."""
        engine = self.engine.execution_options(writing=True)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _on_connect(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions itself: _on_begin chooses their kind.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def find_course(session: Session, name: str) -> Course | None:
    """Return a course by its slug or number."""
    found = session.scalars(select(Course).where(Course.slug == name)).first()
    return found or (session.get(Course, int(name)) if _is_number(name) else None)


def find_activity(session: Session, name: str) -> Activity | None:
    """Return an activity by its slug or number."""
    found = session.scalars(select(Activity).where(Activity.slug == name)).first()
    return found or (session.get(Activity, int(name)) if _is_number(name) else None)


def find_user(session: Session, name: str) -> User | None:
    """Return a person by slug or subject."""
    query = select(User).where((User.slug == name) | (User.sub == name) | (User.opaque_sub == name))
    found = session.scalars(query).all()
    return next((user for user in found if user.slug == name), found[0] if found else None)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= MAX_DIGITS
