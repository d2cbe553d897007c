"""Tables of the exchange: what is released, submitted and given back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from kore.service.db.base import Base
from kore.service.db.models import now


class Stored:
    """An archive in the exchange: ``blob`` names its file, ``size`` is in bytes."""

    blob: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class Handout(Stored, Base):
    """An assignment as it was released. ``notebooks`` are paths within the archive."""

    __tablename__ = "handouts"

    course_id: Mapped[str] = mapped_column(
        ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    notebooks: Mapped[list[str]] = mapped_column(JSON, default=list)
    released_at: Mapped[datetime] = mapped_column(default=now)


class Submission(Stored, Base):
    """Work that one person handed in. All of a person's are kept.

    ``content`` is a digest of names and contents alone; ``key`` distinguishes a repeated
    request from a new one.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("course_id", "user", "assignment", "key"),
        Index("ix_submissions_person", "course_id", "user", "assignment", "received_at"),
        Index("ix_submissions_assignment", "course_id", "assignment", "received_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    assignment: Mapped[str] = mapped_column(String(255))
    user: Mapped[str] = mapped_column(String(255))
    received_at: Mapped[datetime]
    content: Mapped[str] = mapped_column(String(64))
    key: Mapped[str | None] = mapped_column(String(80))
    notebooks: Mapped[list[str]] = mapped_column(JSON, default=list)

    feedback: Mapped[Feedback | None] = relationship(
        back_populates="submission", cascade="all, delete-orphan", passive_deletes=True
    )


class Feedback(Stored, Base):
    """The feedback on one submission, for the one who handed it in."""

    __tablename__ = "feedback"

    submission_id: Mapped[str] = mapped_column(
        ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True
    )
    released_at: Mapped[datetime] = mapped_column(default=now)

    submission: Mapped[Submission] = relationship(back_populates="feedback")
