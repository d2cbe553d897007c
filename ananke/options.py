"""What a container definition can set: one record for each key.

A record holds the key of ``config.py``, the flag of the command line, the help text, the
default and the check. Nothing else lists the keys: commands take their flags from here by
``ananke.option_flags``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ananke.errors import AnankeError, Exit
from ananke.mounts import MOUNTS

ASK = "interactive"
NO_LIMIT = "max"
_MIN_PORT, _MAX_PORT = 1024, 65535
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:@-]{0,254}")
_SIZE = re.compile(r"[1-9][0-9]{0,6}(?:\.[0-9]{1,3})?[bkmgt]?", re.IGNORECASE)
_WRITTEN_SIZE = re.compile(
    r"(?P<number>[0-9]{1,10}(?:\.[0-9]{1,3})?) ?(?P<unit>[bkmgt]?)(?:i?b)?", re.IGNORECASE
)
_UNITS = {unit: 1024**power for power, unit in enumerate("bkmgt")}
_MIN_MEMORY_BYTES = 64 * 1024**2
_MAX_LIKELY_GB = 256
_CDI = re.compile(r"[a-zA-Z0-9][\w.-]{0,62}/[a-zA-Z0-9][\w.-]{0,62}=[\w.:-]{1,128}")
_ADDRESS = re.compile(r"(?:(?P<v4>[0-9]{1,3}(?:\.[0-9]{1,3}){3})|\[(?P<v6>[0-9a-fA-F:]{2,39})\])")
_REQUIREMENT = re.compile(r"(?:(?:ananke|podman)>=[0-9]+(?:\.[0-9]+){0,2}|gpu|path:/[^\0]+)")
_RESERVED_PODMAN_ARGS = (
    *("--name", "--rm", "--replace", "--detach", "-d", "--systemd", "--pull", "--sdnotify"),
)


class InvalidValue(ValueError):
    """A value that a key cannot have. ``hint`` says which values it can have."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Option:
    """One key. ``check`` returns the value in its normal form, or raises ``InvalidValue``.

    ``many`` keys hold lists; their flag can be repeated. ``needed`` keys have no default:
    None means that they are not set yet. ``question`` is put to people.
    """

    key: str
    flag: str
    help: str
    default: Any
    check: Callable[[Any], Any]
    metavar: str
    many: bool = False
    needed: bool = False
    question: str = ""


def _check_image(value: Any) -> str:
    if not isinstance(value, str) or not _IMAGE.fullmatch(value) or "//" in value:
        raise InvalidValue("is not the name of an image", "Use a name such as 'ananke-nbgrader'.")
    return value


def _check_port(value: Any) -> str:
    hint = f"Use a number from {_MIN_PORT} to {_MAX_PORT}, or '127.0.0.1:8000'."
    address, _, number = str(value).rpartition(":") if isinstance(value, str) else ("", "", value)
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number[:6])
    if not isinstance(number, int) or isinstance(number, bool):
        raise InvalidValue("is not a port", hint)
    if not _MIN_PORT <= number <= _MAX_PORT:
        raise InvalidValue("is not a port that an ordinary user can open", hint)
    if address:
        found = _ADDRESS.fullmatch(address)
        if not found or (found["v4"] and any(int(n) > 255 for n in found["v4"].split("."))):  # noqa: PLR2004
            raise InvalidValue("has an invalid address", hint)
    return f"{address}:{number}" if address else str(number)


def _check_memory(value: Any) -> str:
    if value in (ASK, NO_LIMIT):
        return str(value)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = _WRITTEN_SIZE.fullmatch(text)
    number, unit = (found["number"], found["unit"].lower()) if found else ("", "")
    # Podman takes a number without a unit for bytes.
    size = float(number or 0) * _UNITS[unit or "b"]
    likely = unit
    if found and size < _MIN_MEMORY_BYTES:
        likely = "g" if unit in ("", "b", "m") and float(number) <= _MAX_LIKELY_GB else "m"
    meant = f"Did you mean '{number}{likely}'? " if found and float(number) else ""
    hint = f"{meant}Use '8g', '512m', '{NO_LIMIT}' or '{ASK}'."
    if not isinstance(value, str) or not _SIZE.fullmatch(value):
        raise InvalidValue("is not a size of memory", hint)
    if size < _MIN_MEMORY_BYTES:
        shown = {"k": "kilobytes", "m": "megabytes"}.get(unit, "bytes")
        raise InvalidValue(f"is only {number} {shown} of memory, too little for a hub", hint)
    return value.lower()


def _check_cpus(value: Any) -> str:
    hint = f"Use a number of processors such as 4 or 2.5, or '{NO_LIMIT}'."
    if value in (ASK, NO_LIMIT):
        return str(value)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidValue("is not a number of processors", hint)
        number = float(value)
    except (ValueError, OverflowError):
        raise InvalidValue("is not a number of processors", hint) from None
    if not 0 < number <= 4096:  # noqa: PLR2004
        raise InvalidValue("is not a number of processors", hint)
    return f"{number:g}"


def _check_gpus(value: Any) -> tuple[str, ...]:
    hint = f"Use [], 'all', 'nvidia.com/gpu=0', a list of such names, or '{ASK}'."
    if value is None or value == "":
        return ()
    names = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
    if not isinstance(names, list | tuple):
        raise InvalidValue("is not a list of GPUs", hint)
    if list(names) == [ASK]:
        return (ASK,)
    return tuple(_check_gpu(name, hint) for name in names)


def _check_gpu(name: Any, hint: str) -> str:
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < 1000:  # noqa: PLR2004
        name = str(name)
    text = name if isinstance(name, str) else ""
    if text == "all" or re.fullmatch(r"[0-9]{1,3}(:[0-9]{1,3})?", text):
        return f"nvidia.com/gpu={text}"
    if not _CDI.fullmatch(text):
        raise InvalidValue("contains something that is not the CDI name of a GPU", hint)
    return text


def _check_strings(value: Any) -> tuple[str, ...]:
    hint = "Use a list of strings: ['--dns=10.0.0.1', '--hostname=hub']."
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise InvalidValue("is not a list of strings", hint)
    for item in value:
        if any(ord(char) < 32 or ord(char) == 127 for char in item):  # noqa: PLR2004
            raise InvalidValue("contains a line break or a control character", hint)
    return tuple(value)


def _check_podman_args(value: Any) -> tuple[str, ...]:
    args = _check_strings(value)
    for arg in args:
        if arg.partition("=")[0] in _RESERVED_PODMAN_ARGS:
            raise InvalidValue(f"contains {arg!r}, which ananke sets itself", "Leave it out.")
    return args


def _check_volumes(value: Any) -> tuple[str, ...]:
    hint = "Use ['/folder/on/this/host:/path/in/container'], with ':ro' for read-only."
    volumes = _check_strings(value)
    for volume in volumes:
        source, _, rest = volume.partition(":")
        target, _, mode = rest.partition(":")
        path = PurePosixPath(target)
        if not source or not path.is_absolute() or ".." in path.parts:
            raise InvalidValue(f"contains {volume!r}, which is not FOLDER:PATH", hint)
        if mode and not re.fullmatch(r"(?:ro|rw|[zZU])(?:,(?:ro|rw|[zZU]))*", mode):
            raise InvalidValue(f"contains {volume!r}, whose last part is neither ro nor rw", hint)
        hidden = [m.target for m in MOUNTS if path == m.target or path in m.target.parents]
        if hidden:
            raise InvalidValue(
                f"mounts a folder on {path}, which hides the hub's {hidden[0]}",
                "Choose another path, for example below /srv.",
            )
    return volumes


def _check_requirements(value: Any) -> tuple[str, ...]:
    hint = "Use a list of 'podman>=4.4', 'ananke>=0.6', 'gpu', 'path:/folder'."
    items = tuple(
        item.replace(" ", "", 2) if ">=" in item else item for item in _check_strings(value)
    )
    for item in items:
        if not _REQUIREMENT.fullmatch(item):
            raise InvalidValue(f"contains {item!r}, which is unknown", hint)
    return items


OPTIONS = (
    Option(
        key="image_name",
        flag="--image",
        help="Image of the container.",
        default=None,
        check=_check_image,
        metavar="IMAGE",
        needed=True,
        question="Image",
    ),
    Option(
        key="port",
        flag="--port",
        help="Port on this host, or ADDRESS:PORT.",
        default=None,
        check=_check_port,
        metavar="PORT",
        needed=True,
        question="Port on this host",
    ),
    Option(
        key="memory",
        flag="--memory",
        help="Memory for all servers together, such as 8g; max for no limit.",
        default=NO_LIMIT,
        check=_check_memory,
        metavar="SIZE",
        question="Memory for all servers together (8g, 512m, max)",
    ),
    Option(
        key="cpus",
        flag="--cpus",
        help="Processors for all servers together, such as 4 or 2.5; max for no limit.",
        default=NO_LIMIT,
        check=_check_cpus,
        metavar="NUMBER",
        question="Processors for all servers together (4, 2.5, max)",
    ),
    Option(
        key="gpus",
        flag="--gpu",
        help="GPU by CDI name or number, or all; can be repeated.",
        default=(),
        check=_check_gpus,
        metavar="GPU",
        many=True,
        question="GPUs (CDI names or numbers separated by spaces, all, or nothing)",
    ),
    Option(
        key="podman_args",
        flag="--podman-arg",
        help="Extra argument for podman create; can be repeated.",
        default=(),
        check=_check_podman_args,
        metavar="ARG",
        many=True,
    ),
    Option(
        key="volumes",
        flag="--volume",
        help="Folder of this host to mount, FOLDER:PATH[:ro]; can be repeated.",
        default=(),
        check=_check_volumes,
        metavar="VOLUME",
        many=True,
    ),
    Option(
        key="requires",
        flag="--requires",
        help="What this host must have: podman>=4.4, gpu, path:/folder; can be repeated.",
        default=(),
        check=_check_requirements,
        metavar="REQUIREMENT",
        many=True,
    ),
)
"""All keys, in the order in which they are shown."""

BY_KEY = {option.key: option for option in OPTIONS}


def check_values(values: Mapping[str, Any], *, source: str = "") -> dict[str, Any]:
    """Return values in their normal form; raises AnankeError for an invalid one.

    ``source`` names where the values came from; by default the key's flag is named.
    """
    checked = {}
    for key, value in values.items():
        option = BY_KEY[key]
        try:
            checked[key] = option.check(value)
        except InvalidValue as invalid:
            message = f"{source or option.flag} {invalid}."
            raise AnankeError(Exit.USAGE, message, invalid.hint) from invalid
    return checked
