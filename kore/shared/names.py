"""Which names work may have: of assignments, of problems, and of files within them.

They end as files on other machines and as text on teachers' pages, so each part is plain,
visible text in Unicode NFC that every file system takes for the same. Assignments and
problems also become words of nbgrader's commands and parts of its addresses: characters that
it stumbles over are refused where something new gets a name. Spaces, dots within, quotes and
brackets are kept: nothing of ours passes a name to a shell, and nbgrader takes them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from kore.shared.messages import Message, message

MAX_BYTES_PART = 255
MAX_BYTES_PATH = 1024
MAX_PARTS = 32
# Control characters, lone surrogates, line and paragraph separators, unassigned.
_UNFIT_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
# Characters that turn the direction of text show one name and mean another.
_UNFIT = frozenset("/\\\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# nbgrader's columns hold 128 characters.
MAX_CHARACTERS = 128
NOTEBOOK = ".ipynb"
_TRAPS = {
    "+": "name_fault.nbgrader",
    **dict.fromkeys("*?[]", "name_fault.pattern"),
    **dict.fromkeys("#%", "name_fault.address"),
    **dict.fromkeys(':"<>|', "name_fault.windows"),
    **dict.fromkeys("$`", "name_fault.shell"),
}
_FIRST = {
    ".": "name_fault.hidden",
    "-": "name_fault.dash",
    "~": "name_fault.tilde",
}
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)


def find_fault(part: str) -> Message | None:
    """Return what is wrong with one part of a path, as the predicate of a sentence."""
    if not part:
        return message("name_fault.empty")
    if part in {".", ".."}:
        return message("name_fault.elsewhere")
    if any(c in _UNFIT or unicodedata.category(c) in _UNFIT_CATEGORIES for c in part):
        return message("name_fault.characters")
    if not unicodedata.is_normalized("NFC", part):
        return message("name_fault.not_nfc")
    if len(part.encode()) > MAX_BYTES_PART:
        return message("name_fault.bytes", n=MAX_BYTES_PART)
    return None


def find_path_fault(path: str) -> Message | None:
    """Return what is wrong with a relative path, as the predicate of a sentence."""
    if path.startswith("/"):
        return message("name_fault.root")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_BYTES_PATH:
        return message("name_fault.bytes", n=MAX_BYTES_PATH)
    parts = path.split("/")
    if len(parts) > MAX_PARTS:
        return message("name_fault.depth", n=MAX_PARTS)
    return next((fault for part in parts if (fault := find_fault(part))), None)


def find_title_fault(name: str) -> Message | None:
    """Return why an assignment or a problem should not get this name.

    ``name`` of a problem is its notebook's, without ``.ipynb``.
    """
    if fault := find_fault(name):
        return fault
    if name != name.strip():
        return message("name_fault.space")
    if name[0] in _FIRST:
        return message(_FIRST[name[0]])
    if name[-1] == ".":
        return message("name_fault.dot")
    if len(name) > MAX_CHARACTERS or len((name + NOTEBOOK).encode()) > MAX_BYTES_PART:
        return message("name_fault.characters_or_bytes", n=MAX_CHARACTERS, bytes=MAX_BYTES_PART)
    if name.partition(".")[0].casefold() in _DEVICES:
        return message("name_fault.device")
    return next((message(_TRAPS[c], character=c) for c in name if c in _TRAPS), None)


def find_free_name(wanted: str, taken: Callable[[str], bool]) -> str:
    """Return a name, or the first of "name-2", "name-3" and so on that is not taken."""
    name, number = wanted, 1
    while taken(name):
        number += 1
        ending = f"-{number}"
        name = wanted[: MAX_CHARACTERS - len(ending)].rstrip() + ending
        while len((name + NOTEBOOK).encode()) > MAX_BYTES_PART:
            name = name[: -len(ending) - 1].rstrip() + ending
    return name


def twin_key(path: str) -> str:
    """Return a key that two names share where some file system takes them for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def quote_name(name: str) -> str:
    """Return a hostile name as it may stand in a sentence."""
    text = name if len(name) <= 80 else name[:77] + "..."  # noqa: PLR2004
    return ascii(text) if not text.isprintable() else f"\u201c{text}\u201d"
