"""What a definition's ``jupyterhub_config.d`` says, as far as it can be seen without running it.

Those files are Python that the hub runs. Here only what is written plainly is understood:
constants, names set to them, and f-strings of both. What is not plain is left to the hub.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ananke.definition import Definition, refusal

FOLDER = "jupyterhub_config.d"
_LMS = "LTI13Authenticator"
_LMS_FILE = "30_lms.py"
_NEEDED = ("client_id", "issuer", "authorize_url", "jwks_endpoint")
_URLS = ("issuer", "authorize_url", "jwks_endpoint", "access_token_url")
_UNKNOWN = object()


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``c.Section.name = value`` and where it stands. ``plain`` says that it was seen."""

    value: Any
    plain: bool
    file: Path
    line: int


Settings = dict[tuple[str, str], Setting]


def files(folder: Path) -> list[Path]:
    """Return the files that the hub reads, in its order."""
    return sorted(path for path in folder.glob("*.py") if path.is_file())


def settings(paths: list[Path]) -> Settings:
    """Return what the files set, later ones before earlier ones; raises AnankeError.

    A file that is not Python is refused with its line: the hub would not start.
    """
    found: Settings = {}
    for path in paths:
        names: dict[str, Any] = {}
        for node in _statements(path):
            _note(node, path, names, found)
    return found


def base_url(definition: Definition) -> str:
    """Return the hub's path below its host, with slashes at both ends; "/" unless plain."""
    setting = settings(files(definition.folder / FOLDER)).get(("JupyterHub", "base_url"))
    if setting is None or not setting.plain or not isinstance(setting.value, str):
        return "/"
    return f"/{setting.value.strip('/')}/" if setting.value.strip("/") else "/"


def require_lms(definition: Definition) -> None:
    """Raise AnankeError with file and line where the LMS is not filled in."""
    folder = definition.folder / FOLDER
    remedy = "Fill in what the LMS shows for this tool, or give: ananke new --lms-config FILE."
    paths = files(folder)
    found = settings(paths)
    file = folder / _LMS_FILE
    if not any(section == _LMS for section, _ in found):
        if file in paths:
            raise refusal(file, 0, f"sets nothing of c.{_LMS}", remedy)
        raise refusal(file, 0, "is missing: no file there names an LMS", remedy)
    for name in _NEEDED:
        setting = found.get((_LMS, name))
        if setting is None:
            raise refusal(file, 0, f"c.{_LMS}.{name} is not set", remedy)
        if setting.plain and not _filled(setting.value):
            raise refusal(setting.file, setting.line, f"c.{_LMS}.{name} is not filled in", remedy)
    for name in _URLS:
        setting = found.get((_LMS, name))
        if setting is not None and setting.plain and not _is_address(setting.value):
            raise refusal(
                setting.file,
                setting.line,
                f"c.{_LMS}.{name} is not filled in with an address (https://...)",
                remedy,
            )


def lms_addresses(definition: Definition) -> list[str]:
    """Return the LMS's addresses that this hub itself asks, as far as they are plain."""
    found = settings(files(definition.folder / FOLDER))
    values = (found.get((_LMS, name)) for name in ("jwks_endpoint", "access_token_url"))
    return [v.value for v in values if v is not None and v.plain and _is_address(v.value)]


def _filled(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, list | tuple | set):
        return bool(value) and all(_filled(item) for item in value)
    return value is not None


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and any(
        value.startswith(scheme) and len(value) > len(scheme) and value[len(scheme)] != "/"
        for scheme in ("https://", "http://")
    )


def _statements(path: Path) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(path.read_bytes(), filename=str(path)).body
    except SyntaxError as error:
        raise refusal(
            path,
            max(error.lineno or 1, 1),
            f"is not valid Python ({error.msg})",
            "Correct it: the hub would not start with it.",
        ) from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise refusal(
            path, 0, f"cannot be read ({error})", "Correct it: the hub would not start."
        ) from error


def _note(node: ast.stmt, path: Path, names: dict[str, Any], found: Settings) -> None:
    if not isinstance(node, ast.Assign):
        # A name that a loop, an import or a function may change is no longer plain.
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                names[inner.id] = _UNKNOWN
            key = _place(inner) if isinstance(inner, ast.Attribute) else None
            if key is not None and isinstance(inner.ctx, ast.Store):  # type: ignore[attr-defined]
                found[key] = Setting(None, plain=False, file=path, line=node.lineno)
        return
    value = _value(node.value, names)
    for target in node.targets:
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif (key := _place(target)) is not None:
            plain = value is not _UNKNOWN
            found[key] = Setting(value if plain else None, plain, path, node.lineno)


def _place(node: ast.expr) -> tuple[str, str] | None:
    """Return (section, name) of ``c.Section.name``."""
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "c"
    ):
        return node.value.attr, node.attr
    return None


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return a plain expression's value, or _UNKNOWN."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id, _UNKNOWN)
    if isinstance(node, ast.JoinedStr):
        parts = [_value(part, names) for part in node.values]
        return _UNKNOWN if _UNKNOWN in parts else "".join(str(part) for part in parts)
    if isinstance(node, ast.FormattedValue) and node.format_spec is None and node.conversion == -1:
        return _value(node.value, names)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = [_value(part, names) for part in node.elts]
        return _UNKNOWN if _UNKNOWN in parts else parts
    return _UNKNOWN
