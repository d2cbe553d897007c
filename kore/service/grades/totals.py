"""From graded submissions to each student's total: who gets what, who is held back, why.

Pure arithmetic over what the gradebook and the course's folders say. An assignment counts
once one student has graded work in it and it has points at all; whoever has graded work
gets 0 for a counted assignment that they lack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kore.service.coursedir.gradebook import GradedSubmission
from kore.shared.lti.claims import clean_text

# What an LMS keeps of a value.
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Student:
    """A student of the course. ``sub`` is None where the LMS's id of them is not known."""

    user: str
    name: str
    sub: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One student's total in points, or why there is none to send."""

    student: Student
    given: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a course. ``maximum`` is the sum of the counted assignments' points."""

    maximum: float
    assignments: list[str]
    lines: list[Line]


def totals(
    students: Iterable[Student],
    graded: Iterable[GradedSubmission],
    ungraded: Mapping[str, AbstractSet[str]],
) -> Totals:
    """Return the total of each student.

    ``ungraded`` names, by student, the assignments whose collected work waits for grading.
    Submissions of people who are not among the students count for nothing.
    """
    people = sorted(students, key=lambda s: (s.name.casefold(), s.user))
    work: dict[str, dict[str, GradedSubmission]] = {person.user: {} for person in people}
    points: dict[str, float] = {}
    for submission in graded:
        if submission.student in work:
            work[submission.student][submission.assignment] = submission
            if submission.max_score > 0:
                points[submission.assignment] = submission.max_score
    counted = sorted(points)
    lines = []
    for person in people:
        own = work[person.user]
        reason = _held_back(person, own, ungraded.get(person.user, frozenset()), counted)
        given = sum(max(0.0, own[a].score - own[a].penalty) for a in counted if a in own)
        lines.append(Line(person, None if reason else round(given, _PLACES), reason))
    return Totals(round(sum(points.values()), _PLACES), counted, lines)


def _held_back(
    person: Student,
    own: Mapping[str, GradedSubmission],
    ungraded: AbstractSet[str],
    counted: list[str],
) -> str:
    """Return why nothing is to be sent for a student, or "" where something is."""
    waiting = [a for a in counted if a in ungraded]
    if waiting:
        return f"Collected, but not graded yet: {_names(waiting)}."
    if not any(a in own for a in counted):
        return "No graded work yet."
    by_hand = [a for a in counted if a in own and own[a].needs_manual_grade]
    if by_hand:
        return f"Waits for grading by hand: {_names(by_hand)}."
    if person.sub is None:
        return "Has never come from the LMS, so that it is not known who they are there."
    return ""


def _names(assignments: list[str]) -> str:
    return ", ".join(clean_text(name, 80) for name in assignments)
