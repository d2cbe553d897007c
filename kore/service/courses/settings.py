"""Settings of a course that teachers change in a form, and nbgrader reads from a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from kore.service.coursedir import configfile
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.courses.schemas import (
    CodeStub,
    CourseSettings,
    FeedbackSettings,
    SolutionMarks,
)
from kore.service.errors import Conflict
from kore.service.services import Services

_HIDDEN, _AGAIN = "FeedbackExporter.show_hidden_tests", "FeedbackExporter.run_again"
_BEGIN = "ClearSolutions.begin_solution_delimeter"
_END = "ClearSolutions.end_solution_delimeter"
_STUB = "ClearSolutions.code_stub"

# nbgrader's own: a dictionary that is set replaces all of it.
STUBS = {
    "python": "# YOUR CODE HERE\nraise NotImplementedError()",
    "R": "# YOUR CODE HERE\nfail()",
    "matlab": "% YOUR CODE HERE\nerror('No Answer Given!')",
    "octave": "% YOUR CODE HERE\nerror('No Answer Given!')",
    "sas": "/* YOUR CODE HERE */\n %notImplemented;",
    "java": "// YOUR CODE HERE",
}
DEFAULTS: dict[str, Any] = {
    _HIDDEN: True,
    _AGAIN: False,
    _BEGIN: "BEGIN SOLUTION",
    _END: "END SOLUTION",
    _STUB: STUBS,
}
_KINDS: dict[str, Callable[[Any], bool]] = {
    _HIDDEN: lambda value: isinstance(value, bool),
    _AGAIN: lambda value: isinstance(value, bool),
    _BEGIN: lambda value: isinstance(value, str),
    _END: lambda value: isinstance(value, str),
    _STUB: lambda value: isinstance(value, dict) and isinstance(value.get("python", ""), str),
}
_FIELDS = {
    _HIDDEN: "feedback.show_hidden_tests",
    _AGAIN: "feedback.run_again",
    _BEGIN: "solution.begin",
    _END: "solution.end",
    _STUB: "code_stub.python",
}
# Two forms sent at once: one after the other.
_writing = threading.Lock()


def read(services: Services, course_id: str) -> CourseSettings:
    """Return a course's settings. Raises KoreError where its file cannot be read."""
    with _folder(services, course_id) as tree:
        return _shown(_effective(configfile.read_file(tree)))


def write(services: Services, course_id: str, wanted: CourseSettings) -> CourseSettings:
    """Change a course's settings; return them as they are now.

    Only what differs from the rest of the file is written, so that a teacher's own lines stay
    in force until someone changes their setting in the form. Raises KoreError.
    """
    asked: dict[str, Any] = {
        _HIDDEN: wanted.feedback.show_hidden_tests,
        _AGAIN: wanted.feedback.run_again,
        _BEGIN: wanted.solution.begin,
        _END: wanted.solution.end,
        _STUB: wanted.code_stub.python,
    }
    with _writing, _folder(services, course_id) as tree:
        text = configfile.read_file(tree)
        known = _effective(configfile.remove_block(text)).values
        asked[_STUB] = {**known[_STUB], "python": asked[_STUB]}
        block = {name: value for name, value in asked.items() if value != known[name]}
        changed = configfile.write_block(text, block)
        if changed != text:
            hand_over = partial(services.host.hand_over_file, course_id)
            configfile.replace_file(tree, text, changed, hand_over=hand_over)
        return _shown(_effective(changed))


@contextmanager
def _folder(services: Services, course_id: str) -> Iterator[SafeTree]:
    with ExitStack() as stack:
        try:
            tree = stack.enter_context(SafeTree(services.host.course_root(course_id)))
        except FileNotFoundError as error:
            raise Conflict("course_not_ready") from error
        yield tree


def _effective(text: str) -> configfile.Found:
    """Return every setting: as the file has it, else as nbgrader does."""
    found = configfile.find_settings(text, frozenset(DEFAULTS))
    misfits = {name for name, value in found.values.items() if not _KINDS[name](value)}
    fits = {name: value for name, value in found.values.items() if name not in misfits}
    return configfile.Found(values=DEFAULTS | fits, computed=found.computed | misfits)


def _shown(found: configfile.Found) -> CourseSettings:
    values = found.values
    # model_construct: what a teacher wrote into the file need not pass what the form checks.
    return CourseSettings.model_construct(
        feedback=FeedbackSettings(show_hidden_tests=values[_HIDDEN], run_again=values[_AGAIN]),
        solution=SolutionMarks.model_construct(begin=values[_BEGIN], end=values[_END]),
        code_stub=CodeStub.model_construct(python=values[_STUB].get("python", STUBS["python"])),
        computed=sorted(_FIELDS[name] for name in found.computed),
    )
