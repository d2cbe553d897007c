"""The program that autogrades one assignment's submissions, one after another.

Runs as the course's account in the course's folder, as a process besides its server. Standard
input is one JSON object: ``assignment``, ``students`` (null for all with new work), ``collect``,
``again``. Each line of standard output is an event, a JSON object:

- ``{"collecting": true}``; if that fails, ``{"not_collected": reason}`` follows as the last;
- ``{"students": [...]}``: whose work will be graded;
- ``{"started": student}``;
- ``{"student", "outcome", "reason", "log", "score", "maximum"}``: ``outcome`` is ``graded``,
  ``needs_manual``, ``failed``, or ``skipped``;
- ``{"finished": true}``: the last, unless the program was ended.

A ``reason`` is the last error in nbgrader's log, "" if there is none.

SIGINT ends it: nbgrader removes what is half done.
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

_MAX_LOG = 20_000
_MAX_REASON = 300
_ERROR = re.compile(r"(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Timeout|Kernel)\w*(?:: .*)?")


class _Interrupt:
    """Remembers SIGINT: nbgrader catches whatever is raised while it grades."""

    def __init__(self) -> None:
        self.received = False
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, _number: int, _frame: Any) -> None:
        self.received = True
        raise KeyboardInterrupt


def grade(request: dict[str, Any], api: Any, interrupt: Any) -> Iterator[dict[str, Any]]:
    """Grade what a request names, and yield events. ``api`` is nbgrader's."""
    assignment, wanted = request["assignment"], request["students"]
    if request["collect"]:
        yield {"collecting": True}
        result = api.collect(assignment)
        if interrupt.received:
            raise KeyboardInterrupt
        if not result.get("success"):
            yield {"not_collected": _reason(_log(result))}
            return
    submitted = set(api.get_submitted_students(assignment))
    if wanted is not None:
        todo = sorted(wanted)
    elif request["again"]:
        todo = sorted(submitted)
    else:
        todo = sorted(submitted - set(api.get_autograded_students(assignment)))
    yield {"students": todo}
    for student in todo:
        if student not in submitted:
            yield {"student": student, "outcome": "skipped"}
            continue
        yield {"started": student}
        result = api.autograde(assignment, student, force=True)
        if interrupt.received:
            raise KeyboardInterrupt
        yield _grading_event(api, assignment, student, result)
    yield {"finished": True}


def _grading_event(
    api: Any, assignment: str, student: str, result: dict[str, Any]
) -> dict[str, Any]:
    if not result.get("success"):
        log = _log(result)
        failed = {"student": student, "outcome": "failed"}
        return {**failed, "reason": _reason(log), "log": log[-_MAX_LOG:]}
    with api.gradebook as gradebook:
        submission = gradebook.find_submission(assignment, student)
        return {
            "student": student,
            "outcome": "needs_manual" if submission.needs_manual_grade else "graded",
            "score": submission.score,
            "maximum": submission.max_score,
        }


def _log(result: dict[str, Any]) -> str:
    """Return what nbgrader logged, with paths relative to the course's folder."""
    log = f"{result.get('log') or ''}\n{result.get('error') or ''}".strip()
    return log.replace(f"{os.getcwd()}/", "")  # noqa: PTH109 - text, not a path


def _reason(log: str) -> str:
    """Return the last error that a log names, "" if it names none."""
    for line in reversed(log.splitlines()):
        found = _ERROR.search(line)
        # nbgrader ends with an exception that only says that there was one.
        if found and "NbGraderException" not in line and not line.lstrip().startswith("File "):
            return found[0][:_MAX_REASON]
    return ""


def main() -> int:
    """Grade what standard input names. Return the exit code."""
    request = json.load(sys.stdin)
    interrupt = _Interrupt()
    # What nbgrader and its plug-ins print must not get between the events.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        application = NbGrader()
        application.initialize([])
        api = NbGraderAPI(
            application.coursedir, application.authenticator, parent=application.coursedir.parent
        )
        try:
            for event in grade(request, api, interrupt):
                output.write(json.dumps(event) + "\n")
                output.flush()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
