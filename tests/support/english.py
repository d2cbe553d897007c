"""Looks for English of ours on a page that is shown in another language."""

from __future__ import annotations

import re

from babel.messages.pofile import read_po
from playwright.sync_api import Locator

from tests.support.sentences import ROOT

_LOCALE = ROOT / "kore" / "ui" / "locale"
_HOLE = re.compile(r"\\\{\w+\\\}")
# Isolates around what others wrote, and no-break spaces.
_MARKS = re.compile(r"[\u2066-\u2069\u200b]")


def _english() -> re.Pattern[str]:
    """Match every msgid whose German is another text."""
    said: set[str] = set()
    for name in ("de.po", "kore.de.po"):
        with (_LOCALE / name).open("rb") as file:
            for message in read_po(file):
                forms = [message.string] if isinstance(message.string, str) else message.string
                ids = [message.id] if isinstance(message.id, str) else message.id
                said |= {msgid for msgid in ids if msgid and msgid not in forms}  # type: ignore
    # What is nearly all holes would match any line.
    own = {msgid for msgid in said if len(re.sub(r"\{\w+\}|\W", "", msgid)) > 3}
    return re.compile("|".join(_HOLE.sub(".+", re.escape(msgid)) for msgid in sorted(own)))


_ENGLISH = _english()


def left_over(part: Locator) -> list[str]:
    """Return the lines of a part of a page, and names of its elements, that are English of ours."""
    lines = part.inner_text().splitlines()
    lines += part.evaluate(
        "part => [...part.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap("
        "e => ['aria-label', 'title', 'placeholder'].map(name => e.getAttribute(name) ?? ''))"
    )
    plain = {_MARKS.sub("", line).strip() for line in lines}
    return sorted(line for line in plain if _ENGLISH.fullmatch(line))
