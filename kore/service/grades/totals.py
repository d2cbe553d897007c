"""Computes each student's total from graded submissions, or why there is none to send.

Pure arithmetic over what the gradebook and the course's folders say. An assignment counts
once at least one student has graded work in it, if it is worth any points; a student with
graded work gets 0 for each counted assignment that they lack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kore.service.coursedir.gradebook import GradedSubmission
from kore.shared.messages import Message, message

# What an LMS keeps of a value.
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Student:
    """A student of the course. ``sub`` is None where their LMS user id is unknown."""

    user: str
    name: str
    sub: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One student's total in points, or why there is none to send."""

    student: Student
    given: float | None
    reason: Message | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of a course. ``maximum`` is the sum of the counted assignments' points."""

    maximum: float
    assignments: list[str]
    lines: list[Line]


def compute_totals(
    students: Iterable[Student],
    graded: Iterable[GradedSubmission],
    ungraded: Mapping[str, AbstractSet[str]],
) -> Totals:
    """Return the total of each student.

    ``ungraded`` names, by student, the assignments whose collected work is not graded yet.
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
        reason = _why_held_back(person, own, ungraded.get(person.user, frozenset()), counted)
        given = sum(max(0.0, own[a].score - own[a].penalty) for a in counted if a in own)
        lines.append(Line(person, None if reason else round(given, _PLACES), reason))
    return Totals(round(sum(points.values()), _PLACES), counted, lines)


def _why_held_back(
    person: Student,
    own: Mapping[str, GradedSubmission],
    ungraded: AbstractSet[str],
    counted: list[str],
) -> Message | None:
    """Return why nothing is sent for a student; None where something is."""
    waiting = [a for a in counted if a in ungraded]
    if waiting:
        return message("grades.not_graded", assignments=waiting)
    if not any(a in own for a in counted):
        return message("grades.no_graded_work")
    by_hand = [a for a in counted if a in own and own[a].needs_manual_grade]
    if by_hand:
        return message("grades.needs_manual", assignments=by_hand)
    if person.sub is None:
        return message("grades.no_lms_id")
    return None
