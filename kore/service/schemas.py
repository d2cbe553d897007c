"""What Kore's REST API takes and answers: the models that validate are the documentation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kore.service.catalog import render, render_hint
from kore.shared.ids import COURSE_ID_PATTERN, JOB_ID_PATTERN
from kore.shared.messages import Message


class RequestModel(BaseModel):
    """The body of a request: a field that is not named here is refused."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(BaseModel):
    """One error. ``code`` is stable, and ``params`` are what its text is about."""

    code: str
    message: str = Field(description="A sentence in the language of Accept-Language")
    params: dict[str, object] = {}
    hint: str | None = Field(None, description="What to do about it, in the same language")


class ErrorBody(BaseModel):
    """The one form of every error."""

    error: ErrorDetail


class MessageInfo(BaseModel):
    """Text for people: a stable ``code`` with parameters, and the sentence that they make."""

    code: str
    text: str = Field(description="A sentence in the language of Accept-Language")
    params: dict[str, object]
    hint: str | None = Field(None, description="What to do about it, in the same language")


def describe(message: Message | None) -> MessageInfo | None:
    """Return a message as the API answers it, rendered in the language that is spoken."""
    if message is None:
        return None
    return MessageInfo(
        code=message.id,
        text=render(message),
        params=message.to_data()["params"],
        hint=render_hint(message) or None,
    )


class Health(BaseModel):
    """Kore answers, and so does its database."""

    status: Literal["ok"]


class SessionInfo(BaseModel):
    """Who is signed in. ``csrf`` goes into the header ``X-CSRFToken`` of what changes something."""

    user: str
    csrf: str
    admin: bool


class Jwk(BaseModel):
    """A public RSA key (RFC 7517)."""

    kty: str
    kid: str
    use: str
    alg: str
    n: str
    e: str


class Jwks(BaseModel):
    """The keys that Kore signs with."""

    keys: list[Jwk]


class CoursePath(BaseModel):
    """A course in the path."""

    course_id: str = Field(pattern=COURSE_ID_PATTERN, description="Course id")


class JobPath(BaseModel):
    """A job in the path."""

    job_id: str = Field(pattern=JOB_ID_PATTERN, description="Job id")


class CourseQuery(BaseModel):
    """A course in the query."""

    course: str = Field(pattern=COURSE_ID_PATTERN, description="Course id")


class JobsQuery(BaseModel):
    """Whose jobs to list."""

    course: str | None = Field(
        None,
        pattern=COURSE_ID_PATTERN,
        description="Those of a course; without it the caller's own",
    )


class PageQuery(BaseModel):
    """Which part of a list."""

    page: int = Field(1, ge=1, le=1_000_000, description="Counts from 1")
    per_page: int = Field(50, ge=1, le=200)


class CoursesQuery(BaseModel):
    """Which courses to list."""

    all: bool = Field(False, description="Every course of the hub; for hub admins")


class Links(BaseModel):
    """Where a course's server is, for those who may enter it. Paths on the same host."""

    lab: str
    formgrader: str


class CourseSummary(BaseModel):
    """A course as a list shows it."""

    id: str
    title: str
    context_title: str
    activity_title: str
    state: Literal["new", "ready"]
    opened_by_teacher: bool
    role: Literal["instructor", "learner", "observer", "admin"]
    grades_enabled: bool
    created_at: datetime
    launched_at: datetime
    instructors: int
    learners: int


class Courses(BaseModel):
    """Courses, the latest launched first."""

    courses: list[CourseSummary]


class Person(BaseModel):
    """A person in a course."""

    user: str
    name: str
    role: Literal["instructor", "learner", "observer"]
    launched_at: datetime


class AssignmentInfo(BaseModel):
    """An assignment and how far it is. Counts are of students."""

    name: str
    due_at: datetime | None
    state: Literal["draft", "released", "collected", "graded"]
    max_score: float
    submitted: int
    collected: int
    graded: int
    to_collect: int = Field(description="Students with work that is not collected yet")
    to_grade: int = Field(description="Students with collected work that is not graded yet")
    needs_manual: int


class CourseDetail(CourseSummary):
    """A course with its people and assignments; both are empty for a learner."""

    server: Literal["stopped", "starting", "stopping", "running"] | None = None
    return_url: str | None = None
    links: Links | None = None
    people: list[Person] = []
    assignments: list[AssignmentInfo] = []


class CurrentCourse(BaseModel):
    """The course of the caller's latest launch; null before any."""

    course: CourseSummary | None


class OpenedCourse(BaseModel):
    """The course's server, and where it is."""

    server: Literal["starting", "running"]
    url: str


class JobItemInfo(BaseModel):
    """One line of a job's report."""

    key: str
    label: str
    outcome: str
    message: MessageInfo | None
    detail: dict[str, object]


class JobInfo(BaseModel):
    """A job. ``total`` is 0 while it is not known."""

    id: str
    kind: str
    course: str | None
    subject: str | None = Field(
        description="The one assignment, or copied problem, that it is about, by its name"
    )
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    message: MessageInfo | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    items: list[JobItemInfo] = []


class Jobs(BaseModel):
    """Jobs of a course or a person, the newest first, without their items."""

    jobs: list[JobInfo]


class AuditEntry(BaseModel):
    """What someone did to a course. ``job`` has the report, where there is one."""

    at: datetime
    by: str
    by_name: str
    action: str
    message: MessageInfo | None
    outcome: str
    job: str | None


class AuditPage(BaseModel):
    """Entries of a course, the newest first; ``total`` counts those of all pages."""

    entries: list[AuditEntry]
    total: int


class PlatformNotice(RequestModel):
    """The LMS of a launch."""

    issuer: str = Field(max_length=1024)
    client_id: str = Field(max_length=255)
    token_url: str = Field(max_length=2048, pattern=r"^https?://[!-~]+$")
    service_hosts: list[Annotated[str, Field(max_length=2048, pattern=r"^[!-~]+$")]] = Field(
        [],
        max_length=64,
        description="URLs or names of hosts to which tokens and scores may go, besides those of "
        "`issuer` and `token_url`; `*.example.org` for all hosts below `example.org`",
    )


class LaunchNotice(RequestModel):
    """A launch that the hub has verified, and the person whom it has signed in."""

    user: str = Field(max_length=255, pattern=r"^u[a-z0-9_-]+$")
    user_created_at: AwareDatetime = Field(
        description="When the hub made the user: one that was deleted since is enrolled again"
    )
    client_id: str = Field(max_length=255)
    claims: dict[str, object]
    platform: PlatformNotice


class LaunchRecorded(BaseModel):
    """The course of a launch."""

    course: str
