"""What the API takes and answers on assignments and problems of all courses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kore.service.coursedir.notebooks import CellRole, Kind
from kore.shared.ids import COURSE_ID_PATTERN
from kore.shared.names import MAX_BYTES_PART

SourceKind = Literal["course", "backup"]
Collision = Literal["refuse", "keep_both", "replace"]
SOURCE_ID = r"^(c-[0-9a-f]{16}|[0-9a-f]{32})$"
_MAX_NAME = MAX_BYTES_PART
_MAX_CHOSEN = 2000


class Source(BaseModel):
    """Where something can be copied from: a course, or a backup of one."""

    kind: SourceKind
    id: str
    course: str | None
    title: str
    taken_at: datetime | None


class FoundAssignment(BaseModel):
    """An assignment of a source. ``points`` is null where unknown; ``size`` is in bytes."""

    source: Source
    name: str
    notebooks: int
    points: float | None
    size: int
    changed_at: datetime | None


class FoundAssignments(BaseModel):
    """A page of assignments; ``total`` counts those on all pages."""

    assignments: list[FoundAssignment]
    total: int


class FoundProblem(BaseModel):
    """A notebook of an assignment. ``points`` is null where unknown."""

    source: Source
    assignment: str
    name: str
    title: str
    points: float | None
    cells: int
    size: int
    changed_at: datetime | None


class FoundProblems(BaseModel):
    """A page of problems; ``total`` counts those on all pages."""

    problems: list[FoundProblem]
    total: int


class FindQuery(BaseModel):
    """What to search for, and which page to return."""

    search: str = Field("", max_length=200, description="All of these words must occur")
    course: str | None = Field(
        None, pattern=COURSE_ID_PATTERN, description="This course and its backups"
    )
    kind: SourceKind | None = Field(None, description="Courses only, or backups only")
    source: str | None = Field(None, pattern=SOURCE_ID, description="This source alone")
    without: str | None = Field(
        None, pattern=COURSE_ID_PATTERN, description="Leave out this course, but not its backups"
    )
    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(50, ge=1, le=200)


class FindProblemsQuery(FindQuery):
    """What to search for among problems."""

    assignment: str | None = Field(
        None, max_length=_MAX_NAME, description="Problems of assignments of this name"
    )


class PreviewQuery(BaseModel):
    """A problem of a source."""

    kind: SourceKind
    source: str = Field(pattern=SOURCE_ID)
    assignment: str = Field(max_length=_MAX_NAME)
    problem: str = Field(max_length=_MAX_NAME)


class CellPreview(BaseModel):
    """A cell as text. ``points`` is null where it is not graded."""

    kind: Kind
    role: CellRole
    points: float | None
    text: str


class ProblemPreview(BaseModel):
    """A problem as text: only its beginning where it is ``truncated``."""

    name: str
    title: str
    points: float | None
    cells: list[CellPreview]
    truncated: bool


class CopyFrom(BaseModel):
    """The source of a copy."""

    model_config = ConfigDict(extra="forbid")

    kind: SourceKind
    id: str = Field(pattern=SOURCE_ID)


class CopyRequest(BaseModel):
    """Copy a source's assignments, some or one of them, or one problem of it, into a course.

    ``into`` is the assignment that a problem is copied into, or the new name of an assignment;
    null keeps the name. ``collision`` says what to do where the course has the name already:
    copy nothing, copy under a new name, or replace the old one, which is kept in a backup.
    """

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    origin: CopyFrom = Field(alias="from")
    assignment: str | None = Field(None, min_length=1, max_length=_MAX_NAME)
    assignments: list[Annotated[str, Field(min_length=1, max_length=_MAX_NAME)]] | None = Field(
        None,
        min_length=1,
        max_length=_MAX_CHOSEN,
        description="Some of the source's; null for all",
    )
    problem: str | None = Field(None, min_length=1, max_length=_MAX_NAME)
    into: str | None = Field(None, min_length=1, max_length=_MAX_NAME)
    collision: Collision = "refuse"


class CopyItem(BaseModel):
    """One thing to be copied, and where to.

    ``exists``: the course has something with this name, or another version of a file that the
    problem needs. ``keep_both`` is the name that the copy gets then. ``size`` is in bytes.
    """

    assignment: str
    problem: str | None
    target: str
    exists: bool
    keep_both: str
    size: int


class CopyPlan(BaseModel):
    """What a copy would do; ``size`` is in bytes."""

    items: list[CopyItem]
    size: int
