"""Container definitions: ``containers/NAME/config.py``, read without running it.

The file is Python in form only: lines ``config['key'] = value`` with plain values. Whatever
else is in it is refused with file, line and remedy.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ananke.errors import AnankeError, Exit
from ananke.mounts import PORT
from ananke.options import ASK, BY_KEY, NO_LIMIT, OPTIONS, Wrong

FOLDER = "containers"
CONFIG = "config.py"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_LARGEST_FILE = 1_000_000
_FORM = "Lines have the form config['key'] = value, with a text, a number or a list of texts."


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition's values, each in the form that its check returns.

    ``lines`` says on which line of ``file`` a key is set (0: not at all).
    """

    name: str
    folder: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The file that says it."""
        return self.folder / CONFIG

    @property
    def image(self) -> str:
        """The image's name."""
        return str(self.values["image_name"])

    @property
    def published(self) -> str:
        """Podman's form of the port: ``[ADDRESS:]PORT:8000``."""
        return f"{self.values['port']}:{PORT}"

    @property
    def address(self) -> tuple[str, int]:
        """Where this host reaches the hub: a loopback address unless one is named."""
        return split_port(self.values["port"])

    @property
    def memory(self) -> str:
        """Podman's memory limit; empty for none."""
        return _limit(self.values["memory"])

    @property
    def cpus(self) -> str:
        """Podman's number of processors; empty for no limit."""
        return _limit(self.values["cpus"])

    def unanswered(self) -> list[str]:
        """Return the keys whose values are to be asked for."""
        return [key for key, value in self.values.items() if value in (ASK, (ASK,))]

    def with_values(self, values: Mapping[str, Any], *, source: str = "") -> Definition:
        """Return the definition with other values, checked; raises AnankeError.

        ``source`` says where a wrong value came from, where that is not the flag.
        """
        checked = dict(self.values)
        for key, value in values.items():
            option = BY_KEY[key]
            try:
                checked[key] = option.check(value)
            except Wrong as wrong:
                raise AnankeError(
                    Exit.USAGE, f"{source or option.flag} {wrong}.", wrong.remedy
                ) from wrong
        return Definition(self.name, self.folder, checked, self.lines)

    def require_complete(self) -> None:
        """Raise AnankeError for the first needed key that has no value."""
        for option in OPTIONS:
            if option.needed and self.values[option.key] is None:
                raise refusal(
                    self.file,
                    self.lines.get(option.key, 0),
                    f"{option.key} is not filled in",
                    f"Set config['{option.key}'] there, or give {option.flag}.",
                )


def _limit(value: str) -> str:
    return "" if value in (NO_LIMIT, ASK) else value


def split_port(value: str) -> tuple[str, int]:
    """Return host and port to connect to for a checked ``port`` value."""
    address, _, port = value.rpartition(":")
    address = address.strip("[]")
    if address in ("", "0.0.0.0"):  # noqa: S104
        return "127.0.0.1", int(port)
    return ("::1" if address == "::" else address), int(port)


def refusal(file: Path, line: int, words: str, remedy: str) -> AnankeError:
    """Return the error for a file that cannot be used as it is."""
    where = f"{file}, line {line}" if line else str(file)
    return AnankeError(Exit.DEFINITION, f"{where}: {words}.", remedy)


def checked_name(name: str) -> str:
    """Return a name that a definition, its container and its unit can have."""
    if not _NAME.fullmatch(name):
        raise AnankeError(
            Exit.USAGE,
            f"{name!r} cannot be the name of a container.",
            "Names have a to z, 0 to 9 and '-', begin and end with a letter or digit, and "
            "have at most 48 characters.",
        )
    return name


def names(root: Path) -> list[str]:
    """Return the names of all definitions below ``root``, templates left out."""
    found = (path.parent.name for path in (root / FOLDER).glob(f"*/{CONFIG}"))
    return sorted(n for n in found if _NAME.fullmatch(n) and not n.startswith("template-"))


def read(root: Path, name: str) -> Definition:
    """Read the definition of a name; needed keys may still be None.

    Raises AnankeError where it is missing or wrong.
    """
    folder = root / FOLDER / checked_name(name)
    file = folder / CONFIG
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise refusal(file, 0, "is too large for a definition", _FORM)
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        known = ", ".join(names(root))
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no container definition {file}.",
            f"Make one with: ananke new {name}" + (f". There are: {known}" if known else "."),
        ) from None
    except OSError as error:
        raise refusal(
            file, 0, f"cannot be read ({error.strerror})", "Make it a file that you may read."
        ) from error
    values, lines = parse(data, file)
    return Definition(name, folder, values, lines)


def parse(data: bytes, file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the checked values of a ``config.py``, defaults filled in, and their lines.

    Nothing of it is run. Raises AnankeError with file, line and remedy.
    """
    values: dict[str, Any] = {option.key: option.default for option in OPTIONS}
    lines: dict[str, int] = {}
    for node in _statements(data, file):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        key, value = _assignment(node, file)
        if key in lines:
            raise refusal(
                file, node.lineno, f"{key} is set again, after line {lines[key]}", "Keep one."
            )
        lines[key] = node.lineno
        option = BY_KEY.get(key)
        if option is None:
            known = ", ".join(BY_KEY)
            raise refusal(file, node.lineno, f"{key!r} is not a key", f"The keys are: {known}.")
        if option.needed and value in (None, ""):
            continue
        try:
            values[key] = option.check(value)
        except Wrong as wrong:
            raise refusal(file, node.lineno, f"{key} {wrong}", wrong.remedy) from wrong
    return values, lines


def _statements(data: bytes, file: Path) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            # What the parser finds odd (invalid escapes) is shown by no trace of ours.
            warnings.simplefilter("ignore")
            return ast.parse(data, filename=str(file)).body
    except SyntaxError as error:
        line = max(error.lineno or 1, 1)
        raise refusal(file, line, f"is not written right ({error.msg})", _FORM) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise refusal(file, 1, f"is not written right ({error})", _FORM) from error


def _assignment(node: ast.stmt, file: Path) -> tuple[str, Any]:
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
                raise refusal(
                    file,
                    node.lineno,
                    f"{target.slice.value} is not a plain value; nothing here is run",
                    _FORM,
                ) from None
    raise refusal(file, node.lineno, "is not a setting; nothing here is run", _FORM)
