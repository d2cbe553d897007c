"""A course's ``nbgrader_config.py``: reading settings from it, and keeping a block of them.

The file is its teachers' program. It is never run here: what is read is what assignments of
literals say (``c.ClearSolutions.end_solution_delimeter = "END"``). What is written stands
between two marks at the end of the file, and nothing else in it changes.
"""

from __future__ import annotations

import ast
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kore.service.coursedir.layout import CONFIG, UNFINISHED
from kore.service.coursedir.tree import SafeTree
from kore.shared.messages import Message, message

BEGIN = "# >>> Settings of the form in Kore: change them there"
END = "# <<< Settings of the form in Kore"
_MODE = 0o644
_CONFIG = "c = get_config()  # noqa: F821"


class ConfigFileError(ValueError):
    """The file cannot be read, or its marks are in disorder: ``reason`` says which."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Found:
    """Settings in a file: those that literals say, and those that only running it would tell."""

    values: dict[str, Any] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)


def create(root: Path, text: str) -> None:
    """Write the file, unless it is there."""
    with SafeTree(root) as tree:
        if tree.exists(CONFIG):
            return
        unfinished = f"{UNFINISHED}{secrets.token_hex(8)}"
        tree.write(unfinished, [text.encode()], _MODE)
        with suppress(FileExistsError):
            tree.rename(unfinished, CONFIG)
        tree.remove(unfinished)


def read(text: str, names: frozenset[str]) -> Found:
    """Return what a file says of the settings ``Class.trait``. Raises ConfigFileError."""
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        reason = message("config_fault.syntax", line=error.lineno or 1, said=error.msg)
        raise ConfigFileError(reason) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigFileError(message("config_fault.python", said=str(error))) from error
    found = Found()
    for statement in module.body:
        _take(statement, names, found)
    return found


def _take(statement: ast.stmt, names: frozenset[str], found: Found) -> None:
    touched = {name for node in ast.walk(statement) if (name := _setting(node)) in names}
    if not touched:
        return
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        name = _setting(statement.targets[0])
        if name in names:
            try:
                found.values[name] = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                found.values.pop(name, None)
                found.by_hand.add(name)
            else:
                found.by_hand.discard(name)
            return
    for name in touched:
        found.values.pop(name, None)
        found.by_hand.add(name)


def _setting(node: ast.AST) -> str:
    """Return ``Class.trait`` where a node is ``c.Class.trait``, else ""."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
        return f"{node.value.attr}.{node.attr}"
    return ""


def without_block(text: str) -> str:
    """Return a file without what stands between the marks. Raises ConfigFileError."""
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


def with_block(text: str, values: Mapping[str, object]) -> str:
    """Return a file with these settings in its block, and no block where there are none."""
    rest = without_block(text).rstrip()
    if not values:
        return rest + "\n" if rest else ""
    lines = [BEGIN, _CONFIG, *(f"c.{name} = {value!r}" for name, value in values.items()), END]
    return (rest + "\n\n" if rest else "") + "\n".join(lines) + "\n"
