"""Which names work may bear: of assignments, of problems, and of files within them.

They end as files on other machines and as text on teachers' pages, so each part is plain,
visible text in Unicode NFC that no file system takes for something else. Assignments and
problems are also words of nbgrader's commands and parts of its addresses: what it trips
over is refused where something new gets a name. Spaces, dots within, quotes and brackets
are kept: nothing of ours hands a name to a shell, and nbgrader takes them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

MOST_BYTES_PART = 255
MOST_BYTES_PATH = 1024
MOST_PARTS = 32
# Control characters, lone surrogates, line and paragraph separators, unassigned.
_UNFIT_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
# What turns the direction of text about shows one name and means another.
_UNFIT = frozenset("/\\\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# nbgrader's columns hold 128 characters.
MOST_CHARACTERS = 128
NOTEBOOK = ".ipynb"
_TRAPS = {
    "+": "nbgrader refuses it",
    **dict.fromkeys("*?[]", "nbgrader takes it for a pattern that names many"),
    **dict.fromkeys("#%", "addresses of nbgrader's pages end or change there"),
    **dict.fromkeys(':"<>|', "students' machines with Windows refuse it"),
    **dict.fromkeys("$`", "a shell puts something else in its place, even between quotes"),
}
_FIRST = {
    ".": "is hidden: it begins with a dot",
    "-": "begins with a dash, which commands take for an option",
    "~": "begins with a tilde, which a shell takes for a home",
}
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)


def why_unfit(part: str) -> str:
    """Say what is wrong with one part of a path, in words; "" where nothing is."""
    if not part:
        return "has an empty part"
    if part in {".", ".."}:
        return "leads elsewhere"
    if any(c in _UNFIT or unicodedata.category(c) in _UNFIT_CATEGORIES for c in part):
        return "has characters that no name may have"
    if not unicodedata.is_normalized("NFC", part):
        return "is not in Unicode's composed form (NFC)"
    if len(part.encode()) > MOST_BYTES_PART:
        return f"is longer than {MOST_BYTES_PART} bytes"
    return ""


def why_path_unfit(path: str) -> str:
    """Say what is wrong with a relative path, in words; "" where nothing is."""
    if path.startswith("/"):
        return "begins at the root"
    if len(path.encode("utf-8", "surrogatepass")) > MOST_BYTES_PATH:
        return f"is longer than {MOST_BYTES_PATH} bytes"
    parts = path.split("/")
    if len(parts) > MOST_PARTS:
        return f"lies deeper than {MOST_PARTS} folders"
    return next((why for part in parts if (why := why_unfit(part))), "")


def why_unfit_title(name: str) -> str:
    """Say why an assignment or a problem should not get this name, in words; "" if it may.

    ``name`` of a problem is its notebook's, without ``.ipynb``.
    """
    if why := why_unfit(name):
        return why
    if name != name.strip():
        return "begins or ends with a space, which nbgrader cuts off"
    if name[0] in _FIRST:
        return _FIRST[name[0]]
    if name[-1] == ".":
        return "ends with a dot, which machines with Windows cut off"
    if len(name) > MOST_CHARACTERS or len((name + NOTEBOOK).encode()) > MOST_BYTES_PART:
        return f"is longer than {MOST_CHARACTERS} characters or {MOST_BYTES_PART} bytes"
    if name.partition(".")[0].casefold() in _DEVICES:
        return "is a device's on machines with Windows"
    return next((f"has {shown(c)} in it: {_TRAPS[c]}" for c in name if c in _TRAPS), "")


def free_name(wanted: str, taken: Callable[[str], bool]) -> str:
    """Return a name, or the first of "name-2", "name-3" and so on that is not taken."""
    name, number = wanted, 1
    while taken(name):
        number += 1
        ending = f"-{number}"
        name = wanted[: MOST_CHARACTERS - len(ending)].rstrip() + ending
        while len((name + NOTEBOOK).encode()) > MOST_BYTES_PART:
            name = name[: -len(ending) - 1].rstrip() + ending
    return name


def twin_key(path: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def shown(name: str) -> str:
    """Return a hostile name as it may stand in a sentence."""
    text = name if len(name) <= 80 else name[:77] + "..."  # noqa: PLR2004
    return ascii(text) if not text.isprintable() else f"\u201c{text}\u201d"
