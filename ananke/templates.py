"""Templates of container definitions: ``containers/template-*``.

A template holds only what is its own. The files that all templates share are in
``containers/template-common``: ``make_definition`` puts both together, so that a new definition
is complete and depends on no template. A template whose ``config.py`` sets ``port`` is complete
itself and is copied as it is.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ananke import definition
from ananke.errors import AnankeError, Exit

PREFIX = "template-"
COMMON = f"{PREFIX}common"
README = "readme.md"
_IGNORED = shutil.ignore_patterns("runtime", "__pycache__", ".*")


def find_templates(root: Path) -> dict[str, Path]:
    """Return the templates by name: those below ``root``, else those that came with ananke."""
    for containers in (root / definition.FOLDER, _find_own_containers()):
        found = {
            path.parent.name: path.parent
            for path in containers.glob(f"{PREFIX}*/{definition.CONFIG}")
            if path.parent.name != COMMON
        }
        if found:
            return dict(sorted(found.items()))
    raise AnankeError(
        Exit.NOT_FOUND,
        "There are no templates here.",
        "Run this in a clone of the repository, or name one with --directory.",
    )


def describe(template: Path) -> str:
    """Return what a template is, in one line: the headline of its readme."""
    try:
        first = (template / README).read_text("utf-8").partition("\n")[0]
    except OSError:
        return "a template of your own"
    return first.lstrip("# ").strip()


def make_definition(template: Path, folder: Path) -> None:
    """Write a complete definition from a template into a new folder; raises OSError."""
    config = template / definition.CONFIG
    values, lines = definition.parse_config(config.read_bytes(), config)
    if "port" in lines:
        shutil.copytree(template, folder, ignore=_IGNORED)
        return
    common = template.parent / COMMON
    if not common.is_dir():
        common = _find_own_containers() / COMMON
    shutil.copytree(common, folder, ignore=_IGNORED)
    common_config = (common / definition.CONFIG).read_text("utf-8")
    common_readme = (common / README).read_text("utf-8").replace("TEMPLATE", template.name)
    own_readme = template / README
    headline = own_readme.read_text("utf-8") if own_readme.exists() else ""
    shutil.copytree(template, folder, ignore=_IGNORED, dirs_exist_ok=True)
    (folder / README).write_text(headline + common_readme, encoding="utf-8")
    (folder / definition.CONFIG).write_text(common_config, encoding="utf-8")
    set_values(folder / definition.CONFIG, {key: values[key] for key in lines})


def set_values(file: Path, values: Mapping[str, Any]) -> None:
    """Set keys of a ``config.py`` to checked values; raises OSError or SyntaxError."""
    file.write_bytes(replace_values(file.read_bytes(), values))


def replace_values(text: bytes, values: Mapping[str, Any]) -> bytes:
    """Return a ``config.py`` with keys set, each where it has its value; raises SyntaxError."""
    for key, value in values.items():
        literal = value if key == "port" and value.isdecimal() else repr(value)
        found = _find_value(text, key)
        if found:
            text = text[: found[0]] + literal.encode() + text[found[1] :]
        else:
            text += f"\nconfig[{key!r}] = {literal}\n".encode()
    return text


def _find_value(text: bytes, key: str) -> tuple[int, int] | None:
    """Return where the value of a key begins and ends in a ``config.py``; None if nowhere."""
    starts = [0, *(line.end() for line in re.finditer(rb"\n", text))]
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=value):
                if name == key and value.end_lineno and value.end_col_offset is not None:
                    begin = starts[value.lineno - 1] + value.col_offset
                    return begin, starts[value.end_lineno - 1] + value.end_col_offset
    return None


def _find_own_containers() -> Path:
    package = Path(__file__).parent
    installed = package / definition.FOLDER
    return installed if installed.is_dir() else package.parent / definition.FOLDER
