"""The program that autogrades one assignment's submissions, one after the other.

Runs as the course's account in the course's folder, apart from its server. Standard input is
one JSON object: ``assignment``, ``students`` (null for all with new work), ``collect``, ``again``.
Each line of standard output is an event, a JSON object:

- ``{"collecting": true}``, and ``{"not_collected": words}`` where that fails: then it is the last;
- ``{"students": [...]}``: whose work will be graded;
- ``{"begun": student}``;
- ``{"student", "outcome", "words", "log", "score", "maximum"}``: ``outcome`` is ``graded``,
  ``needs_manual``, ``failed``, or ``skipped``;
- ``{"finished": true}``: always the last, unless the program was ended.

SIGINT ends it: nbgrader takes back what it has half of.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import Any

from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI

_MOST_LOG = 20_000
_MOST_WORDS = 300
_ERROR = re.compile(r"(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Timeout|Kernel)\w*(?:: .*)?")


class _Interrupt:
    """SIGINT, kept: nbgrader answers for whatever is raised while it grades."""

    def __init__(self) -> None:
        self.came = False
        signal.signal(signal.SIGINT, self._take)

    def _take(self, _number: int, _frame: Any) -> None:
        self.came = True
        raise KeyboardInterrupt


def events(asked: dict[str, Any], api: Any, interrupt: Any) -> Iterator[dict[str, Any]]:
    """Grade, and yield what happens. ``api`` is nbgrader's."""
    assignment, wanted = asked["assignment"], asked["students"]
    if asked["collect"]:
        yield {"collecting": True}
        result = api.collect(assignment)
        if interrupt.came:
            raise KeyboardInterrupt
        if not result.get("success"):
            log = _log(result)
            yield {"not_collected": _reason(log) or "nbgrader does not say why."}
            return
    submitted = set(api.get_submitted_students(assignment))
    if wanted is not None:
        todo = sorted(wanted)
    elif asked["again"]:
        todo = sorted(submitted)
    else:
        todo = sorted(submitted - set(api.get_autograded_students(assignment)))
    yield {"students": todo}
    for student in todo:
        if student not in submitted:
            yield _event(student, "skipped", "Nothing was collected from this student.")
            continue
        yield {"begun": student}
        result = api.autograde(assignment, student, force=True)
        if interrupt.came:
            raise KeyboardInterrupt
        yield _told(api, assignment, student, result)
    yield {"finished": True}


def _told(api: Any, assignment: str, student: str, result: dict[str, Any]) -> dict[str, Any]:
    log = _log(result)
    if not result.get("success"):
        words = _reason(log) or "nbgrader could not grade it; its log says more."
        return _event(student, "failed", words, log=log[-_MOST_LOG:])
    with api.gradebook as gradebook:
        submission = gradebook.find_submission(assignment, student)
        points = {"score": submission.score, "maximum": submission.max_score}
        if submission.needs_manual_grade:
            words = "Graded; some answers wait for you."
            return _event(student, "needs_manual", words, **points)
        return _event(student, "graded", "", **points)


def _log(result: dict[str, Any]) -> str:
    """Return what nbgrader logged, with paths as they are in the course's folder."""
    log = f"{result.get('log') or ''}\n{result.get('error') or ''}".strip()
    return log.replace(f"{os.getcwd()}/", "")  # noqa: PTH109 - text, not a path


def _event(student: str, outcome: str, words: str, **more: Any) -> dict[str, Any]:
    return {"student": student, "outcome": outcome, "words": words, **more}


def _reason(log: str) -> str:
    """Return the last error that a log names, "" where it names none."""
    for line in reversed(log.splitlines()):
        found = _ERROR.search(line)
        # nbgrader sums up with an exception that says only that there was one.
        if found and "NbGraderException" not in line and not line.lstrip().startswith("File "):
            return found[0][:_MOST_WORDS]
    return ""


def main() -> int:
    """Do what standard input asks. Return the exit code."""
    asked = json.load(sys.stdin)
    interrupt = _Interrupt()
    # What nbgrader and its plug-ins print must not stand between the events.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        application = NbGrader()
        application.initialize([])
        api = NbGraderAPI(
            application.coursedir, application.authenticator, parent=application.coursedir.parent
        )
        try:
            for event in events(asked, api, interrupt):
                output.write(json.dumps(event) + "\n")
                output.flush()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
