"""What the code imports is declared in ``pyproject.toml``, for each place where it runs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = {"ananke", "kore"}
# The manager runs where nothing of Jupyter is; the base image has JupyterHub without Kore.
EXTRAS: dict[str, list[tuple[str, ...]]] = {
    "ananke": [()],
    "ananke/demo": [("hub",)],
    "kore": [("hub",)],
    "kore/shared": [("hub",), ("base",)],
    "kore/host": [("hub",), ("base",)],
    "kore/hub": [("hub",), ("base",)],
}


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _declared(extras: tuple[str, ...]) -> frozenset[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = list(project["dependencies"])
    for extra in extras:
        found += project["optional-dependencies"][extra]
    return frozenset(_normalize(re.split(r"[\[<>=;! ]", each)[0]) for each in found)


@cache
def _distributions() -> dict[str, set[str]]:
    found = packages_distributions()
    return {module: {_normalize(name) for name in names} for module, names in found.items()}


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _imports(node: ast.AST) -> Iterator[str]:
    """Yield the top-level modules that code imports when it runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            yield str(child.module).partition(".")[0]
        elif not _is_for_types_only(child):
            yield from _imports(child)


def _third_party(folder: str) -> dict[str, set[str]]:
    """Return the third-party modules of a folder's own files, with who imports them.

    Folders in it that have a row of their own in ``EXTRAS`` are left out.
    """
    inner = [ROOT / other for other in EXTRAS if other.startswith(f"{folder}/")]
    found: dict[str, set[str]] = {}
    for path in (ROOT / folder).rglob("*.py"):
        if "node_modules" in path.parts or any(path.is_relative_to(each) for each in inner):
            continue
        for module in _imports(ast.parse(path.read_text("utf-8"))):
            if module not in OWN and module not in sys.stdlib_module_names:
                found.setdefault(module, set()).add(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize("folder", EXTRAS)
def test_third_party_imports_are_declared(folder):
    """A module is imported only where its distribution is a declared dependency."""
    undeclared = [
        f"{module} in {', '.join(sorted(files))}: not in {extras or 'the dependencies'}"
        for extras in EXTRAS[folder]
        for module, files in sorted(_third_party(folder).items())
        if not _distributions().get(module, set()) & _declared(extras)
    ]
    assert not undeclared


def test_imports_for_type_checkers_are_left_out():
    """An import under TYPE_CHECKING needs no dependency; any other does."""
    code = (
        "if TYPE_CHECKING:\n    import a.b\n"
        "import c.d\ndef f():\n    from e.g import h\n    from . import i\n"
    )
    assert list(_imports(ast.parse(code))) == ["c", "e"]
