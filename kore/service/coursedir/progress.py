"""Which work of a course waits, to be collected or to be graded, read from its folders.

nbgrader keeps work in ``submitted/<student>/<assignment>`` and, once graded, a copy in
``autograded``; a file ``timestamp.txt`` in each says when it was handed in.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kore.service.coursedir import timestamps
from kore.service.coursedir.gradebook import GradedSubmission

_TIMESTAMP = "timestamp.txt"
_MOST_BYTES = 128
# As kore.singleuser.exchange writes it, unless a course has it otherwise.
_USUAL = "%Y-%m-%d %Hh%Mm%S.%fs %Z"


def uncollected(root: Path, handed_in: Mapping[tuple[str, str], datetime]) -> dict[str, set[str]]:
    """Return, by student, the assignments whose latest work was not collected.

    ``handed_in`` has the moment of each student's latest work by student and assignment.
    Links in ``root``, nbgrader's course directory, are not followed.
    """
    waiting: dict[str, set[str]] = {}
    there = _work(root / "submitted")
    for (student, assignment), moment in handed_in.items():
        collected = None
        if assignment in there.get(student, ()):
            collected = _read(root / "submitted" / student / assignment / _TIMESTAMP)
        if collected is None or _later(moment, collected):
            waiting.setdefault(student, set()).add(assignment)
    return waiting


def _later(moment: datetime, stamp: bytes) -> bool:
    """Whether a moment is later than a stamp; later than any that nobody can read."""
    text = stamp.decode(errors="replace")
    if text == moment.astimezone(UTC).strftime(_USUAL):
        return False
    try:
        collected, exact = timestamps.read(text)
    except ValueError:
        return True
    return (moment if exact else moment.replace(microsecond=0)) > collected


def ungraded(root: Path, graded: Iterable[GradedSubmission]) -> dict[str, set[str]]:
    """Return, by student, the assignments collected but not graded, or handed in anew.

    ``root`` is nbgrader's course directory. Links in it are not followed. Where grading
    failed, nbgrader has a place for the points already, and no graded copy.
    """
    done = {(submission.student, submission.assignment) for submission in graded}
    waiting: dict[str, set[str]] = {}
    copies = _work(root / "autograded")
    for student, assignments in _work(root / "submitted").items():
        for assignment in assignments:
            known = (student, assignment) in done and assignment in copies.get(student, ())
            if not known or _newer(root, student, assignment):
                waiting.setdefault(student, set()).add(assignment)
    return waiting


def _newer(root: Path, student: str, assignment: str) -> bool:
    """Whether what is collected was handed in at another time than what is graded."""
    collected = _read(root / "submitted" / student / assignment / _TIMESTAMP)
    graded = _read(root / "autograded" / student / assignment / _TIMESTAMP)
    return collected is not None and graded is not None and collected != graded


def _work(stage: Path) -> dict[str, list[str]]:
    """Return the assignments in a stage's folder by student."""
    return {student: _folders(stage / student) for student in _folders(stage)}


def _folders(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return file.read(_MOST_BYTES).strip() if regular else None
