"""Which work of a course waits to be collected or graded, read from its folders.

nbgrader keeps work in ``submitted/<student>/<assignment>`` and, once graded, a copy in
``autograded``. A file ``timestamp.txt`` in each says when it was handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kore.service.coursedir import timestamps
from kore.service.coursedir.gradebook import GradedSubmission
from kore.service.coursedir.layout import AUTOGRADED, SUBMITTED, TIMESTAMP, work_path
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import KoreError

_MAX_BYTES = 128
# As kore.singleuser.exchange writes it, unless a course's configuration says otherwise.
_FORMAT = "%Y-%m-%d %Hh%Mm%S.%fs %Z"


def list_collected(root: Path) -> dict[str, list[str]]:
    """Return, by student, the assignments that were collected.

    Here and below, ``root`` is nbgrader's course directory, links in it are not followed, and
    what cannot be read counts as missing.
    """
    return _list_work(root, SUBMITTED)


def find_uncollected(
    root: Path, handed_in: Mapping[tuple[str, str], datetime]
) -> dict[str, set[str]]:
    """Return, by student, the assignments whose latest work was not collected.

    ``handed_in`` has the moment of each student's latest work by student and assignment.
    """
    waiting: dict[str, set[str]] = {}
    stamps = {
        student: _read_stamps(root, SUBMITTED, student, assignments)
        for student, assignments in _list_work(root, SUBMITTED).items()
    }
    for (student, assignment), moment in handed_in.items():
        stamp = stamps.get(student, {}).get(assignment)
        if stamp is None or _is_later(moment, stamp):
            waiting.setdefault(student, set()).add(assignment)
    return waiting


def _is_later(moment: datetime, stamp: bytes) -> bool:
    """Whether a moment is later than a stamp; it is later than one that cannot be read."""
    text = stamp.decode(errors="replace")
    if text == moment.astimezone(UTC).strftime(_FORMAT):
        return False
    try:
        collected, exact = timestamps.read_timestamp(text)
    except ValueError:
        return True
    return (moment if exact else moment.replace(microsecond=0)) > collected


def find_ungraded(root: Path, graded: Iterable[GradedSubmission]) -> dict[str, set[str]]:
    """Return, by student, the assignments collected but not graded, or handed in again since.

    Where grading failed, nbgrader has a place for the points already, and no graded copy.
    """
    done = {(submission.student, submission.assignment) for submission in graded}
    waiting: dict[str, set[str]] = {}
    copies = _list_work(root, AUTOGRADED)
    for student, collected in _list_work(root, SUBMITTED).items():
        known = {name for name in copies.get(student, ()) if (student, name) in done}
        before = _read_stamps(root, AUTOGRADED, student, known)
        now = _read_stamps(root, SUBMITTED, student, before)
        newer = {name for name, stamp in now.items() if stamp != before[name]}
        if waits := {name for name in collected if name not in known or name in newer}:
            waiting[student] = waits
    return waiting


def _list_work(root: Path, stage: str) -> dict[str, list[str]]:
    """Return the assignments in a stage's folder by student."""
    students = _list_folders(root, stage)
    return {student: _list_folders(root, work_path(stage, student)) for student in students}


def _list_folders(root: Path, path: str) -> list[str]:
    try:
        with SafeTree(root) as tree:
            entries = tree.list_folder(path)
    except (OSError, KoreError):
        return []
    return [e.path.rpartition("/")[2] for e in entries if e.is_dir and not e.is_special]


def _read_stamps(
    root: Path, stage: str, student: str, assignments: Iterable[str]
) -> dict[str, bytes]:
    """Return the stamps of a student's work by assignment."""
    try:
        with SafeTree(root) as tree:
            found = tree.read_beginnings(
                work_path(stage, student), assignments, TIMESTAMP, size=_MAX_BYTES
            )
    except (OSError, KoreError):
        return {}
    return {assignment: stamp.strip() for assignment, stamp in found.items()}
