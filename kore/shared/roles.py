"""What a person is in a course. A leaf: the database and the LTI side both need it."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """What a person is in a course. An observer (a mentor, a visitor) is neither other."""

    INSTRUCTOR = "instructor"
    LEARNER = "learner"
    OBSERVER = "observer"
