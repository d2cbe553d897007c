"""Container definitions: ``containers/NAME/config.py``, read without running it.

The file only looks like Python: lines ``config['key'] = value`` with plain values. Anything
else is refused with file, line and a hint.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ananke.errors import AnankeError, Exit
from ananke.mounts import PORT
from ananke.options import ASK, BY_KEY, NO_LIMIT, OPTIONS, InvalidValue, check_values

FOLDER = "containers"
CONFIG = "config.py"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_MAX_FILE_BYTES = 1_000_000
_FORM = "Write config['key'] = value, where the value is a string, a number or a list of strings."


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition's values, each in the form that its check returns.

    ``lines`` maps a key to the line of ``file`` that sets it; keys that are not set are missing.
    ``sources`` maps a key whose value came from elsewhere to its flag, or to the other file.
    """

    name: str
    folder: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The definition's ``config.py``."""
        return self.folder / CONFIG

    @property
    def image(self) -> str:
        """Name of the image."""
        return str(self.values["image_name"])

    @property
    def published(self) -> str:
        """The port in Podman's form: ``[ADDRESS:]PORT:8000``."""
        return f"{self.values['port']}:{PORT}"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port at which this host reaches the hub."""
        return split_port(self.values["port"])

    @property
    def memory(self) -> str:
        """Memory limit for Podman; empty for no limit."""
        return _parse_limit(self.values["memory"])

    @property
    def cpus(self) -> str:
        """Processor limit for Podman; empty for no limit."""
        return _parse_limit(self.values["cpus"])

    def list_interactive_keys(self) -> list[str]:
        """Return the keys whose value a person must be asked for."""
        return [key for key, value in self.values.items() if value in (ASK, (ASK,))]

    def with_values(self, values: Mapping[str, Any], *, source: str = "") -> Definition:
        """Return the definition with ``values`` replaced, checked; raises AnankeError.

        ``source`` names where the values came from; by default the key's flag is named.
        """
        checked = {**self.values, **check_values(values, source=source)}
        sources = {key: source or BY_KEY[key].flag for key in values}
        return replace(self, values=checked, sources={**self.sources, **sources})

    def make_value_error(self, key: str, message: str, hint: str) -> AnankeError:
        """Return the error for a key's value, which names where the value came from."""
        source = self.sources.get(key)
        if source is None:
            return make_definition_error(self.file, self.lines.get(key, 0), message, hint)
        return AnankeError(Exit.DEFINITION, f"{source}: {message}.", hint)

    def require_complete(self) -> None:
        """Raise AnankeError for the first needed key without a value."""
        for option in OPTIONS:
            if option.needed and self.values[option.key] is None:
                raise make_definition_error(
                    self.file,
                    self.lines.get(option.key, 0),
                    f"{option.key} is not set",
                    f"Set config['{option.key}'] there, or use {option.flag}.",
                )


def _parse_limit(value: str) -> str:
    return "" if value in (NO_LIMIT, ASK) else value


def split_port(value: str) -> tuple[str, int]:
    """Return host and port to connect to for a checked ``port`` value; loopback by default."""
    address, _, port = value.rpartition(":")
    address = address.strip("[]")
    if address in ("", "0.0.0.0"):  # noqa: S104
        return "127.0.0.1", int(port)
    return ("::1" if address == "::" else address), int(port)


def make_definition_error(file: Path, line: int, message: str, hint: str) -> AnankeError:
    """Return the error for a file of a definition; ``line`` 0 means the whole file."""
    place = f"{file}, line {line}" if line else str(file)
    return AnankeError(Exit.DEFINITION, f"{place}: {message}.", hint)


def check_name(name: str) -> str:
    """Return ``name`` if a definition, its container and its unit can have it.

    Raises AnankeError if not.
    """
    if not _NAME.fullmatch(name):
        raise AnankeError(
            Exit.USAGE,
            f"{name!r} cannot be the name of a container.",
            "Use a to z, 0 to 9 and '-', begin and end with a letter or digit, and keep it to "
            "48 characters.",
        )
    return name


def list_names(root: Path) -> list[str]:
    """Return the names of all definitions below ``root``, without templates."""
    found = (path.parent.name for path in (root / FOLDER).glob(f"*/{CONFIG}"))
    return sorted(n for n in found if _NAME.fullmatch(n) and not n.startswith("template-"))


def make_unknown_error(root: Path, name: str) -> AnankeError:
    """Return the error for a name that has no definition; its hint lists those that exist."""
    known = ", ".join(list_names(root))
    return AnankeError(
        Exit.NOT_FOUND,
        f"There is no container definition {root / FOLDER / name / CONFIG}.",
        f"Make one with: ananke new {name}" + (f". There are: {known}" if known else "."),
    )


def read_definition(root: Path, name: str) -> Definition:
    """Read the definition of a name; needed keys may still be None.

    Raises AnankeError if it is missing or invalid.
    """
    folder = root / FOLDER / check_name(name)
    file = folder / CONFIG
    try:
        if file.stat().st_size > _MAX_FILE_BYTES:
            raise make_definition_error(file, 0, "is too large for a definition", _FORM)
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise make_unknown_error(root, name) from None
    except OSError as error:
        raise make_definition_error(
            file, 0, f"cannot be read ({error.strerror})", "Make it a file that you may read."
        ) from error
    values, lines = parse_config(data, file)
    return Definition(name, folder, values, lines)


def parse_config(data: bytes, file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the checked values of a ``config.py``, with defaults, and the lines of its keys.

    Nothing in it is run. Raises AnankeError with file, line and hint.
    """
    values: dict[str, Any] = {option.key: option.default for option in OPTIONS}
    lines: dict[str, int] = {}
    for node in _parse_statements(data, file):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        key, value = _parse_assignment(node, file)
        if key in lines:
            raise make_definition_error(
                file,
                node.lineno,
                f"{key} is set again, after line {lines[key]}",
                "Keep one of the two.",
            )
        lines[key] = node.lineno
        option = BY_KEY.get(key)
        if option is None:
            known = ", ".join(BY_KEY)
            raise make_definition_error(
                file, node.lineno, f"{key!r} is not a known key", f"The keys are: {known}."
            )
        if option.needed and value in (None, ""):
            continue
        try:
            values[key] = option.check(value)
        except InvalidValue as invalid:
            raise make_definition_error(
                file, node.lineno, f"{key} {invalid}", invalid.hint
            ) from invalid
    return values, lines


def _parse_statements(data: bytes, file: Path) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            # The parser warns about invalid escapes; that would show up in our output.
            warnings.simplefilter("ignore")
            return ast.parse(data, filename=str(file)).body
    except SyntaxError as error:
        line = max(error.lineno or 1, 1)
        raise make_definition_error(file, line, f"syntax error ({error.msg})", _FORM) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise make_definition_error(file, 1, f"syntax error ({error})", _FORM) from error


def _parse_assignment(node: ast.stmt, file: Path) -> tuple[str, Any]:
    """Return key and value of ``config['key'] = value``."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if (
            isinstance(target, ast.Subscript)
            and isinstance(target.value, ast.Name)
            and target.value.id == "config"
            and isinstance(target.slice, ast.Constant)
            and isinstance(target.slice.value, str)
        ):
            try:
                return target.slice.value, ast.literal_eval(node.value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                raise make_definition_error(
                    file,
                    node.lineno,
                    f"{target.slice.value} is not a plain value; this file is not run",
                    _FORM,
                ) from None
    raise make_definition_error(file, node.lineno, "is not a setting; this file is not run", _FORM)
