"""What a container definition may say: one record for each key.

A record yields the key of ``config.py``, the flag of the command line, the help text, the
default and the check; nothing else knows any of these.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ananke.mounts import MOUNTS

ASK = "interactive"
NO_LIMIT = "max"
_FIRST_PORT, _LAST_PORT = 1024, 65535
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:@-]{0,254}")
_SIZE = re.compile(r"[1-9][0-9]{0,6}(?:\.[0-9]{1,3})?[bkmgt]?", re.IGNORECASE)
_CDI = re.compile(r"[a-zA-Z0-9][\w.-]{0,62}/[a-zA-Z0-9][\w.-]{0,62}=[\w.:-]{1,128}")
_ADDRESS = re.compile(r"(?:(?P<v4>[0-9]{1,3}(?:\.[0-9]{1,3}){3})|\[(?P<v6>[0-9a-fA-F:]{2,39})\])")
_REQUIREMENT = re.compile(r"(?:(?:ananke|podman)>=[0-9]+(?:\.[0-9]+){0,2}|gpu|path:/[^\0]+)")
_OURS = ("--name", "--rm", "--replace", "--detach", "-d", "--systemd", "--pull", "--sdnotify")


class Wrong(ValueError):  # noqa: N818
    """A value that a key cannot have. ``remedy`` says what it can have."""

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Option:
    """One key: ``check`` returns the value in its one form, or raises ``Wrong``.

    ``many`` keys hold lists; their flag may be given several times. ``needed`` keys have no
    default: None says that they are not filled in.
    """

    key: str
    flag: str
    help: str
    default: Any
    check: Callable[[Any], Any]
    many: bool = False
    needed: bool = False
    question: str = ""


def _image(value: Any) -> str:
    if not isinstance(value, str) or not _IMAGE.fullmatch(value) or "//" in value:
        raise Wrong("is not the name of an image", "Write a name such as 'ananke-nbgrader'.")
    return value


def _port(value: Any) -> str:
    remedy = f"Write a number from {_FIRST_PORT} to {_LAST_PORT}, or '127.0.0.1:8000'."
    address, _, number = str(value).rpartition(":") if isinstance(value, str) else ("", "", value)
    if isinstance(number, str) and number.isascii() and number.isdecimal():
        number = int(number[:6])
    if not isinstance(number, int) or isinstance(number, bool):
        raise Wrong("is not a port", remedy)
    if not _FIRST_PORT <= number <= _LAST_PORT:
        raise Wrong("is no port that an ordinary user can have", remedy)
    if address:
        found = _ADDRESS.fullmatch(address)
        if not found or (found["v4"] and any(int(n) > 255 for n in found["v4"].split("."))):  # noqa: PLR2004
            raise Wrong("has an address that is none", remedy)
    return f"{address}:{number}" if address else str(number)


def _memory(value: Any) -> str:
    if not isinstance(value, str) or not (value in (ASK, NO_LIMIT) or _SIZE.fullmatch(value)):
        raise Wrong("is not a size", f"Write '8g', '512m', '{NO_LIMIT}' or '{ASK}'.")
    return value.lower()


def _cpus(value: Any) -> str:
    remedy = f"Write a number of processors such as 4 or 2.5, or '{NO_LIMIT}'."
    if value in (ASK, NO_LIMIT):
        return str(value)
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise Wrong("is not a number of processors", remedy)
        number = float(value)
    except (ValueError, OverflowError):
        raise Wrong("is not a number of processors", remedy) from None
    if not 0 < number <= 4096:  # noqa: PLR2004
        raise Wrong("is not a number of processors", remedy)
    return f"{number:g}"


def _gpus(value: Any) -> tuple[str, ...]:
    remedy = f"Write [], 'all', 'nvidia.com/gpu=0', a list of such names, or '{ASK}'."
    if value is None or value == "":
        return ()
    names = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
    if not isinstance(names, list | tuple):
        raise Wrong("is not a list of GPUs", remedy)
    if list(names) == [ASK]:
        return (ASK,)
    return tuple(_gpu(name, remedy) for name in names)


def _gpu(name: Any, remedy: str) -> str:
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < 1000:  # noqa: PLR2004
        name = str(name)
    text = name if isinstance(name, str) else ""
    if text == "all" or re.fullmatch(r"[0-9]{1,3}(:[0-9]{1,3})?", text):
        return f"nvidia.com/gpu={text}"
    if not _CDI.fullmatch(text):
        raise Wrong("has something that is no GPU's CDI name", remedy)
    return text


def _words(value: Any) -> tuple[str, ...]:
    remedy = "Write a list of texts: ['--dns=10.0.0.1', '--hostname=hub']."
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise Wrong("is not a list of texts", remedy)
    for word in value:
        if any(ord(char) < 32 or ord(char) == 127 for char in word):  # noqa: PLR2004
            raise Wrong("has a line break or a control character in it", remedy)
    return tuple(value)


def _podman_args(value: Any) -> tuple[str, ...]:
    words = _words(value)
    for word in words:
        if word.partition("=")[0] in _OURS:
            raise Wrong(f"has {word!r}, which ananke sets itself", "Leave it out.")
    return words


def _volumes(value: Any) -> tuple[str, ...]:
    remedy = "Write ['/folder/of/this/host:/place/in/container'], with ':ro' to read only."
    words = _words(value)
    for word in words:
        source, _, rest = word.partition(":")
        target, _, mode = rest.partition(":")
        place = PurePosixPath(target)
        if not source or not place.is_absolute() or ".." in place.parts:
            raise Wrong(f"has {word!r}, which is not FOLDER:PLACE", remedy)
        if mode and not re.fullmatch(r"(?:ro|rw|[zZU])(?:,(?:ro|rw|[zZU]))*", mode):
            raise Wrong(f"has {word!r}, whose last part is neither ro nor rw", remedy)
        covered = [m.target for m in MOUNTS if place == m.target or place in m.target.parents]
        if covered:
            raise Wrong(
                f"puts a folder on {place}, which hides {covered[0]} of the hub",
                "Choose another place, for example below /srv.",
            )
    return words


def _requires(value: Any) -> tuple[str, ...]:
    remedy = "Write a list of 'podman>=4.4', 'ananke>=0.6', 'gpu', 'path:/folder'."
    words = tuple(word.replace(" ", "", 2) if ">=" in word else word for word in _words(value))
    for word in words:
        if not _REQUIREMENT.fullmatch(word):
            raise Wrong(f"has {word!r}, which is not known", remedy)
    return words


OPTIONS = (
    Option(
        "image_name",
        "--image",
        "Image of the container.",
        None,
        _image,
        needed=True,
        question="Image",
    ),
    Option(
        "port",
        "--port",
        "Port on this host, or ADDRESS:PORT.",
        None,
        _port,
        needed=True,
        question="Port on this host",
    ),
    Option(
        "memory",
        "--memory",
        "Memory for all servers together: 8g, max.",
        NO_LIMIT,
        _memory,
        question="Memory for all servers together (8g, 512m, max)",
    ),
    Option(
        "cpus",
        "--cpus",
        "Processors for all servers together: 4, 2.5, max.",
        NO_LIMIT,
        _cpus,
        question="Processors for all servers together (4, 2.5, max)",
    ),
    Option(
        "gpus",
        "--gpu",
        "GPU by its CDI name, its number, or all; may be given again.",
        (),
        _gpus,
        many=True,
        question="GPUs (CDI names or numbers with spaces between, all, or nothing)",
    ),
    Option(
        "podman_args",
        "--podman-arg",
        "Further argument to podman create; may be given again.",
        (),
        _podman_args,
        many=True,
    ),
    Option(
        "volumes",
        "--volume",
        "Folder of this host, FOLDER:PLACE[:ro]; may be given again.",
        (),
        _volumes,
        many=True,
    ),
    Option(
        "requires",
        "--requires",
        "What this host must have: podman>=4.4, gpu, path:/folder; may be given again.",
        (),
        _requires,
        many=True,
    ),
)
"""All keys, in the order in which they are told."""

BY_KEY = {option.key: option for option in OPTIONS}
