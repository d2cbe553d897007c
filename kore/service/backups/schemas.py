"""What Kore's API takes and answers about backups, and about resetting and deleting courses."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kore.shared.ids import COURSE_ID_PATTERN, JOB_ID_PATTERN


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BackupPath(BaseModel):
    """A backup in the path."""

    backup_id: str = Field(pattern=JOB_ID_PATTERN, description="Backup id")


class BackupInfo(BaseModel):
    """A backup. ``course`` is the one that it was taken of; ``size`` is in bytes."""

    id: str
    course: str | None
    title: str
    contents: str = Field(description="`sources` or `everything`")
    origin: str = Field(
        description="`made`, `uploaded`, `before_reset`, `before_delete`, `before_restore` or "
        "`before_replace`"
    )
    size: int
    sha256: str
    taken_at: datetime
    taken_by: str
    taken_by_name: str
    assignments: int
    students: int
    mine: bool = Field(description="Whether the caller made or uploaded it, and may delete it")


class BackupList(BaseModel):
    """Backups of a course, the latest first, and what all of them take, in bytes."""

    backups: list[BackupInfo]
    used: int
    quota: int


class BackupRequest(_In):
    """Back a course up."""

    contents: Literal["sources", "everything"] = Field(
        description="`everything` includes students' work, points and names"
    )


class RestoreRequest(_In):
    """Restore everything in a course from a backup of it."""

    backup: str = Field(pattern=JOB_ID_PATTERN)
    confirm: str = Field(max_length=2000, description="The course's title, as the user typed it")


class DestroyRequest(_In):
    """Reset a course, or delete it."""

    confirm: str = Field(max_length=2000, description="The course's title, as the user typed it")
    backup: bool = Field(True, description="Back everything up first")


class UploadQuery(BaseModel):
    """The course that a backup is uploaded for."""

    course: str = Field(pattern=COURSE_ID_PATTERN, description="Course id")
