"""What the routes of grades take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from kore.service.schemas import MessageInfo, RequestModel
from kore.shared.ids import COURSE_ID_PATTERN


class LastScore(BaseModel):
    """What was last sent for a student."""

    given: float
    maximum: float
    state: Literal["sending", "sent", "refused", "failed"]
    message: MessageInfo | None
    sent_at: datetime


class GradeEntry(BaseModel):
    """One student in the preview. ``given`` is null where nothing will be sent."""

    user: str
    name: str
    given: float | None
    maximum: float | None
    action: Literal["send", "unchanged", "held_back"]
    reason: MessageInfo | None
    last: LastScore | None = None


class GradesPreview(BaseModel):
    """Who gets what, what is held back and why."""

    course: str
    maximum: float
    assignments: list[str]
    entries: list[GradeEntry]
    counts: dict[str, int]
    last_job: str | None = None


class GradesRequest(RequestModel):
    """Send the grades of a course."""

    course: str = Field(pattern=COURSE_ID_PATTERN)
    resend: bool = Field(False, description="Send unchanged scores too")
    users: list[str] | None = Field(
        None, max_length=5000, description="Only these users, as the preview names them"
    )
