"""Reads and changes a course's ``nbgrader_config.py``: settings, and a block of them.

The file is a program of the course's teachers, and never run here. What is read is what
assignments of literals say (``c.ClearSolutions.end_solution_delimeter = "END"``). What is
written stands between two marks at the end of the file; nothing else in it changes.
"""

from __future__ import annotations

import ast
import errno
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kore.service.coursedir.layout import CONFIG, STAGING, UNFINISHED
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Changed, Conflict, KoreError
from kore.shared.messages import Message, message

BEGIN = "# >>> Settings of the form in Kore: change them there"
END = "# <<< Settings of the form in Kore"
_MODE = 0o644
_MAX_BYTES = 200_000
_CONFIG = "c = get_config()  # noqa: F821"
_CANNOT_EXCHANGE = frozenset({errno.EINVAL, errno.ENOSYS})


class ConfigFileError(Conflict):
    """The file cannot be read, or its marks are in disorder: ``reason`` says which."""

    def __init__(self, reason: Message) -> None:
        super().__init__("config_unreadable", reason=reason)


@dataclass(slots=True)
class Found:
    """Settings in a file: those that are literals, and those that only running it would tell."""

    values: dict[str, Any] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)


def create_file(root: Path, text: str) -> None:
    """Write the file of the course directory ``root``, unless it is there."""
    with SafeTree(root) as tree:
        if tree.exists(CONFIG):
            return
        unfinished = f"{UNFINISHED}{secrets.token_hex(8)}"
        tree.write(unfinished, [text.encode()], _MODE)
        with suppress(FileExistsError):
            tree.rename(unfinished, CONFIG)
        tree.remove(unfinished)


def read_file(tree: SafeTree) -> str:
    """Return the file's text, "" where it is not there. Raises KoreError."""
    return _read_text(tree, CONFIG)


def replace_file(
    tree: SafeTree, before: str, after: str, *, hand_over: Callable[[str], None]
) -> None:
    """Replace the file that was read with a new one, all of it or nothing.

    ``hand_over`` gives a path to the course's account. Raises Changed where the file is not
    what was read any more.
    """
    staged = f"{STAGING}/settings-{secrets.token_hex(8)}"
    tree.write(staged, [after.encode()])
    try:
        hand_over(staged)
        try:
            tree.rename(staged, CONFIG)
        except FileExistsError:
            if not _exchange(tree, staged, before):
                # The file system cannot do that: at least never half a file, or none.
                tree.write(CONFIG, [after.encode()])
                hand_over(CONFIG)
            tree.remove(staged)
    except BaseException:
        # Only what is Kore's own: what a teacher wrote in this moment is never removed.
        if _has_text(tree, staged, after):
            tree.remove(staged)
        raise


def _exchange(tree: SafeTree, staged: str, before: str) -> bool:
    """Exchange the new file and the old one; return whether the file system can do that.

    Raises Changed where the old one is not what was read: both are then where they were.
    """
    try:
        tree.swap(staged, CONFIG)
    except OSError as error:
        if error.errno not in _CANNOT_EXCHANGE:
            raise
        if _has_text(tree, CONFIG, before):
            return False
    else:
        if _has_text(tree, staged, before):
            return True
        tree.swap(staged, CONFIG)
    raise Changed("config_changed")


def _has_text(tree: SafeTree, path: str, text: str) -> bool:
    try:
        return _read_text(tree, path) == text
    except (KoreError, OSError):
        return False


def _read_text(tree: SafeTree, path: str) -> str:
    try:
        return tree.read_bytes(path, limit=_MAX_BYTES).decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ConfigFileError(message("config_fault.encoding")) from error


def find_settings(text: str, names: frozenset[str]) -> Found:
    """Return the settings ``Class.trait`` in a file's text. Raises ConfigFileError."""
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        reason = message("config_fault.syntax", line=error.lineno or 1, said=error.msg)
        raise ConfigFileError(reason) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigFileError(message("config_fault.python", said=str(error))) from error
    found = Found()
    for statement in module.body:
        _read_statement(statement, names, found)
    return found


def _read_statement(statement: ast.stmt, names: frozenset[str], found: Found) -> None:
    touched = {name for node in ast.walk(statement) if (name := _read_name(node)) in names}
    if not touched:
        return
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        name = _read_name(statement.targets[0])
        if name in names:
            try:
                found.values[name] = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                found.values.pop(name, None)
                found.computed.add(name)
            else:
                found.computed.discard(name)
            return
    for name in touched:
        found.values.pop(name, None)
        found.computed.add(name)


def _read_name(node: ast.AST) -> str:
    """Return ``Class.trait`` where a node is ``c.Class.trait``, else ""."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        return f"{node.value.attr}.{node.attr}"
    return ""


def remove_block(text: str) -> str:
    """Return a file's text without what is between the marks. Raises ConfigFileError."""
    kept, inside = [], False
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        mark = line.strip()
        if mark == (END if inside else BEGIN):
            inside = not inside
        elif mark in {BEGIN, END}:
            raise ConfigFileError(message("config_fault.mark", line=number, mark=mark))
        elif not inside:
            kept.append(line)
    if inside:
        raise ConfigFileError(message("config_fault.no_end", mark=END))
    return "".join(kept)


def write_block(text: str, values: Mapping[str, object]) -> str:
    """Return a file's text with these settings in its block, and no block without settings."""
    rest = remove_block(text).rstrip()
    if not values:
        return rest + "\n" if rest else ""
    lines = [BEGIN, _CONFIG, *(f"c.{name} = {value!r}" for name, value in values.items()), END]
    return (rest + "\n\n" if rest else "") + "\n".join(lines) + "\n"
