"""Which names work may bear: of assignments, and of files within it.

They end as files on other machines and as text on teachers' pages, so each part is plain,
visible text in Unicode NFC that no file system takes for something else.
"""

from __future__ import annotations

import unicodedata

MOST_BYTES_PART = 255
MOST_BYTES_PATH = 1024
MOST_PARTS = 32
# Control characters, lone surrogates, line and paragraph separators, unassigned.
_UNFIT_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
# What turns the direction of text about shows one name and means another.
_UNFIT = frozenset("/\\\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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


def twin_key(path: str) -> str:
    """Return what two names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def shown(name: str) -> str:
    """Return a hostile name as it may stand in a sentence."""
    text = name if len(name) <= 80 else name[:77] + "..."  # noqa: PLR2004
    return ascii(text) if not text.isprintable() else f"\u201c{text}\u201d"
