"""What the routes of the exchange take and answer."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from kore.shared.ids import COURSE_ID_PATTERN


class AssignmentPath(BaseModel):
    """An assignment of a course, in the path."""

    course_id: str = Field(pattern=COURSE_ID_PATTERN, description="Course id")
    name: str = Field(description="Assignment")


class SubmissionPath(BaseModel):
    """A submission of a course, in the path."""

    course_id: str = Field(pattern=COURSE_ID_PATTERN, description="Course id")
    submission_id: str = Field(description="Submission id")


class SubmissionsQuery(BaseModel):
    """Which submissions to list. Learners get their own, whatever they ask for."""

    assignment: str | None = Field(None, max_length=255)
    user: str | None = Field(None, max_length=255)


class IdempotencyHeader(BaseModel):
    """The header that identifies a repeated request."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        max_length=64,
        pattern=r"^[!-~]+$",
        description="The same key again returns the same submission",
    )


class ExchangeLimits(BaseModel):
    """The limits on what is sent, in bytes; ``files`` is a number of files."""

    file: int
    submission: int
    person: int
    course: int
    files: int


class ExchangeState(BaseModel):
    """The exchange of a course.

    ``used`` is in bytes: of the course for its teachers, of their own submissions for others.
    """

    course: str
    limits: ExchangeLimits
    used: int


class ReleasedAssignment(BaseModel):
    """A released assignment. ``notebooks`` are paths within the archive."""

    name: str
    released_at: datetime
    size: int
    sha256: str
    notebooks: list[str]
    due_at: datetime | None


class ReleasedAssignments(BaseModel):
    """Released assignments, by name."""

    assignments: list[ReleasedAssignment]


class FeedbackInfo(BaseModel):
    """Feedback on a submission, ready to be fetched."""

    released_at: datetime
    size: int
    sha256: str


class SubmissionInfo(BaseModel):
    """A submission; ``late`` is by the due date as it stands now."""

    id: str
    user: str
    assignment: str
    received_at: datetime
    size: int
    sha256: str
    late: bool
    notebooks: list[str]
    feedback: FeedbackInfo | None


class Submissions(BaseModel):
    """Submissions, the oldest first."""

    submissions: list[SubmissionInfo]
