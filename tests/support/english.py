"""Looks for English of ours on a page that is shown in another language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from playwright.sync_api import Locator

_KORE = Path(__file__).parents[2] / "kore"
_HOLE = re.compile(r"\\\{\w+(:\w+)?\\\}")
# Isolates around what others wrote, and no-break spaces.
_MARKS = re.compile(r"[\u2066-\u2069\u200b]")


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


def _english_texts() -> Iterator[str]:
    """Yield the panel's texts and the service's, where the German is another text."""
    for each in _read(_KORE / "ui" / "locale" / "de.po"):
        yield from set(_forms(each.id)) - set(_forms(each.string))
    english, german = (_read(_KORE / "service" / "locale" / f"{name}.po") for name in ("en", "de"))
    for each in english:
        other = german.get(_forms(each.id)[0])
        yield from set(_forms(each.string)) - set(_forms(other.string) if other else ())


def _pattern() -> re.Pattern[str]:
    # What is nearly all holes would match any line.
    own = {text for text in _english_texts() if len(re.sub(r"\{\w+(:\w+)?\}|\W", "", text)) > 3}
    return re.compile("|".join(_HOLE.sub(".+", re.escape(text)) for text in sorted(own)))


_ENGLISH = _pattern()


def left_over(part: Locator) -> list[str]:
    """Return the lines of a part of a page, and names of its elements, that are English of ours."""
    lines = part.inner_text().splitlines()
    lines += part.evaluate(
        "part => [...part.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap("
        "e => ['aria-label', 'title', 'placeholder'].map(name => e.getAttribute(name) ?? ''))"
    )
    plain = {_MARKS.sub("", line).strip() for line in lines}
    return sorted(line for line in plain if _ENGLISH.fullmatch(line))
