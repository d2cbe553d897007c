"""Settings of a course that teachers change in a form, and nbgrader reads from a file."""

from __future__ import annotations

import errno
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from kore.service.coursedir import configfile
from kore.service.coursedir.layout import CONFIG, STAGING
from kore.service.coursedir.tree import SafeTree
from kore.service.courses.schemas import (
    CodeStub,
    CourseSettings,
    FeedbackSettings,
    SolutionMarks,
)
from kore.service.errors import Changed, Conflict, KoreError
from kore.service.services import Services
from kore.shared.messages import Message, message

_MAX_BYTES = 200_000
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
        return _shown(_effective(_text(tree)))


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
        text = _text(tree)
        try:
            rest = _effective(configfile.without_block(text))
        except configfile.ConfigFileError as error:
            raise _unreadable(error.reason) from error
        known = rest.values
        asked[_STUB] = {**known[_STUB], "python": asked[_STUB]}
        block = {name: value for name, value in asked.items() if value != known[name]}
        changed = configfile.with_block(text, block)
        if changed != text:
            _put(services, course_id, tree, text, changed)
        return _shown(_effective(changed))


def _put(services: Services, course_id: str, tree: SafeTree, before: str, after: str) -> None:
    """Replace the file that was read by a new one, which the course's account can read."""
    place = f"{STAGING}/settings-{secrets.token_hex(8)}"
    tree.write(place, [after.encode()])
    try:
        services.host.hand_over_file(course_id, place)
        try:
            tree.rename(place, CONFIG)
        except FileExistsError:
            if not _exchanged(tree, place, before):
                # A file system that cannot do that: at least never half a file, or none.
                tree.write(CONFIG, [after.encode()])
                services.host.hand_over_file(course_id, CONFIG)
            tree.remove(place)
    except BaseException:
        # Only what is Kore's own: what a teacher wrote in this moment is never removed.
        if _is(tree, place, after):
            tree.remove(place)
        raise


def _exchanged(tree: SafeTree, place: str, before: str) -> bool:
    """Exchange the new file and the old one; return whether the file system can do that.

    Raises KoreError where the old one is not what was read: both are then where they were.
    """
    try:
        tree.swap(place, CONFIG)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS}:
            raise
        if _is(tree, CONFIG, before):
            return False
    else:
        if _is(tree, place, before):
            return True
        tree.swap(place, CONFIG)
    raise Changed("config_changed")


def _is(tree: SafeTree, path: str, text: str) -> bool:
    try:
        return _text(tree, path) == text
    except (KoreError, OSError):
        return False


@contextmanager
def _folder(services: Services, course_id: str) -> Iterator[SafeTree]:
    with ExitStack() as stack:
        try:
            tree = stack.enter_context(SafeTree(services.host.course_root(course_id)))
        except FileNotFoundError as error:
            raise Conflict("course_not_ready") from error
        yield tree


def _text(tree: SafeTree, path: str = CONFIG) -> str:
    try:
        return tree.read_bytes(path, limit=_MAX_BYTES).decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise _unreadable(message("config_fault.encoding")) from error


def _effective(text: str) -> configfile.Found:
    """Return every setting: as the file has it, else as nbgrader does."""
    try:
        found = configfile.read(text, frozenset(DEFAULTS))
    except configfile.ConfigFileError as error:
        raise _unreadable(error.reason) from error
    misfits = {name for name, value in found.values.items() if not _KINDS[name](value)}
    fits = {name: value for name, value in found.values.items() if name not in misfits}
    return configfile.Found(values=DEFAULTS | fits, by_hand=found.by_hand | misfits)


def _shown(found: configfile.Found) -> CourseSettings:
    values = found.values
    # model_construct: what a teacher wrote into the file need not pass what the form checks.
    return CourseSettings.model_construct(
        feedback=FeedbackSettings(show_hidden_tests=values[_HIDDEN], run_again=values[_AGAIN]),
        solution=SolutionMarks.model_construct(begin=values[_BEGIN], end=values[_END]),
        code_stub=CodeStub.model_construct(python=values[_STUB].get("python", STUBS["python"])),
        computed=sorted(_FIELDS[name] for name in found.by_hand),
    )


def _unreadable(reason: Message) -> Conflict:
    return Conflict("config_unreadable", reason=reason)
