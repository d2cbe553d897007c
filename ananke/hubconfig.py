"""What a definition's ``jupyterhub_config.d`` sets, as far as it shows without running it.

The hub runs these files as Python. Here only plain values are read: constants, names set to
them, and f-strings of both. Everything else is left to the hub.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ananke.definition import Definition, make_definition_error

FOLDER = "jupyterhub_config.d"
_LMS_SECTION = "LTI13Authenticator"
LMS_FILE = "30_lms.py"
_NEEDED_NAMES = ("client_id", "issuer", "authorize_url", "jwks_endpoint")
_URL_NAMES = ("issuer", "authorize_url", "jwks_endpoint", "access_token_url")
_NOT_PLAIN = object()


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``c.Section.name = value`` and its place. ``plain``: its value is known here."""

    value: Any
    plain: bool
    file: Path
    line: int


Settings = dict[tuple[str, str], Setting]


def list_files(folder: Path) -> list[Path]:
    """Return the files that the hub reads, in its order."""
    return sorted(path for path in folder.glob("*.py") if path.is_file())


def read_settings(paths: list[Path]) -> Settings:
    """Return what the files set; a later file wins over an earlier one.

    Raises AnankeError with the line for a file that is not Python: the hub would not start.
    """
    found: Settings = {}
    for path in paths:
        names: dict[str, Any] = {}
        for node in _parse_statements(path):
            _collect_settings(node, path, names, found)
    return found


def find_base_url(definition: Definition) -> str:
    """Return the hub's path below its host, with slashes at both ends; "/" unless plain."""
    paths = list_files(definition.folder / FOLDER)
    setting = read_settings(paths).get(("JupyterHub", "base_url"))
    if setting is None or not setting.plain or not isinstance(setting.value, str):
        return "/"
    return f"/{setting.value.strip('/')}/" if setting.value.strip("/") else "/"


def require_lms(definition: Definition) -> None:
    """Raise AnankeError with file and line if the LMS is not filled in."""
    folder = definition.folder / FOLDER
    hint = "Fill in what the LMS shows for this tool, or use: ananke new --lms-config FILE."
    paths = list_files(folder)
    found = read_settings(paths)
    file = folder / LMS_FILE
    if not any(section == _LMS_SECTION for section, _ in found):
        if file in paths:
            raise make_definition_error(file, 0, f"sets nothing of c.{_LMS_SECTION}", hint)
        raise make_definition_error(file, 0, "is missing, and no other file names an LMS", hint)
    for name in _NEEDED_NAMES:
        setting = found.get((_LMS_SECTION, name))
        if setting is None:
            raise make_definition_error(file, 0, f"c.{_LMS_SECTION}.{name} is not set", hint)
        if setting.plain and not _is_filled_in(setting.value):
            message = f"c.{_LMS_SECTION}.{name} is not filled in"
            raise make_definition_error(setting.file, setting.line, message, hint)
    for name in _URL_NAMES:
        setting = found.get((_LMS_SECTION, name))
        if setting is not None and setting.plain and not _is_url(setting.value):
            message = f"c.{_LMS_SECTION}.{name} is not a URL (https://...)"
            raise make_definition_error(setting.file, setting.line, message, hint)


def find_lms_urls(definition: Definition) -> list[str]:
    """Return the URLs of the LMS that the hub itself calls, as far as they are plain."""
    found = read_settings(list_files(definition.folder / FOLDER))
    values = (found.get((_LMS_SECTION, name)) for name in ("jwks_endpoint", "access_token_url"))
    return [v.value for v in values if v is not None and v.plain and _is_url(v.value)]


def _is_filled_in(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, list | tuple | set):
        return bool(value) and all(_is_filled_in(item) for item in value)
    return value is not None


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and any(
        value.startswith(scheme) and len(value) > len(scheme) and value[len(scheme)] != "/"
        for scheme in ("https://", "http://")
    )


def _parse_statements(path: Path) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes(), filename=str(path)).body
    except SyntaxError as error:
        raise make_definition_error(
            path,
            max(error.lineno or 1, 1),
            f"is not valid Python ({error.msg})",
            "Correct it: the hub would not start.",
        ) from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise make_definition_error(
            path, 0, f"cannot be read ({error})", "Correct it: the hub would not start."
        ) from error


def _collect_settings(node: ast.stmt, path: Path, names: dict[str, Any], found: Settings) -> None:
    if not isinstance(node, ast.Assign):
        # A name that a loop, an import or a function may change is no longer plain.
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                names[inner.id] = _NOT_PLAIN
            key = _parse_setting_key(inner) if isinstance(inner, ast.Attribute) else None
            if key is not None and isinstance(inner.ctx, ast.Store):  # type: ignore[attr-defined]
                found[key] = Setting(None, plain=False, file=path, line=node.lineno)
        return
    value = _evaluate(node.value, names)
    for target in node.targets:
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif (key := _parse_setting_key(target)) is not None:
            plain = value is not _NOT_PLAIN
            found[key] = Setting(value if plain else None, plain, path, node.lineno)


def _parse_setting_key(node: ast.expr) -> tuple[str, str] | None:
    """Return (section, name) of ``c.Section.name``."""
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "c"
    ):
        return node.value.attr, node.attr
    return None


def _evaluate(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return a plain expression's value, or _NOT_PLAIN."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id, _NOT_PLAIN)
    if isinstance(node, ast.JoinedStr):
        parts = [_evaluate(part, names) for part in node.values]
        return _NOT_PLAIN if _NOT_PLAIN in parts else "".join(str(part) for part in parts)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None and node.conversion == -1:
        return _evaluate(node.value, names)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = [_evaluate(part, names) for part in node.elts]
        return _NOT_PLAIN if _NOT_PLAIN in parts else parts
    return _NOT_PLAIN
