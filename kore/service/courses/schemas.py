"""What the routes of one course take and answer: its settings, and grading in it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from kore.service.errors import InvalidField
from kore.service.schemas import RequestModel


class FeedbackSettings(RequestModel):
    """What students find in their feedback."""

    show_hidden_tests: bool = Field(description="Whether hidden tests are shown")
    run_again: bool = Field(description="Whether the notebook is run again for it")


def _mark(text: str) -> str:
    if not text.strip() or text != text.strip() or not text.isprintable():
        raise InvalidField("invalid.mark")
    return text


Mark = Annotated[str, Field(max_length=100), AfterValidator(_mark)]


class SolutionMarks(RequestModel):
    """The lines before and after a solution."""

    begin: Mark
    end: Mark

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.begin in self.end:
            raise InvalidField("invalid.marks")
        return self


class CodeStub(RequestModel):
    """What students find instead of a solution in Python."""

    python: str = Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")


class CourseSettings(RequestModel):
    """Settings of a course in its nbgrader_config.py, as the form shows and takes them."""

    feedback: FeedbackSettings
    solution: SolutionMarks
    code_stub: CodeStub
    computed: list[str] = Field(
        [],
        max_length=10,
        description="Settings that the file computes: what is shown may not be in force. "
        "Ignored in a request",
    )


class AutogradeTicket(RequestModel):
    """What a course's server was sent: there is something to grade."""

    ticket: str = Field(pattern=r"^[0-9a-f]{64}$")


class AutogradeWork(BaseModel):
    """What a course's server has to grade."""

    assignment: str
    students: list[str] | None
    collect: bool
    again: bool


class AutogradeRequest(RequestModel):
    """What to grade automatically."""

    assignment: str = Field(min_length=1, max_length=128)
    students: list[Annotated[str, Field(max_length=255)]] | None = Field(
        None, min_length=1, max_length=2000, description="Users; null for all with new work"
    )
    collect: bool = Field(False, description="Collect first what was handed in since")
    regrade: bool = Field(False, description="Also what is graded already")
