"""The roles that a person can have in a course."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """The role of a person in a course. An observer (a mentor, a visitor) only looks on."""

    INSTRUCTOR = "instructor"
    LEARNER = "learner"
    OBSERVER = "observer"
