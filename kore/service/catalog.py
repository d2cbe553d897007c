"""Renders messages from the gettext catalogs in ``locale/``: one for each language.

A catalog's msgid is a message id; ``ID.hint``, where there is one, says what to do. English is
a catalog like any other, and what a language lacks is rendered in English. In a text ``{x}`` stands
for the parameter ``x`` and ``{x:kind}`` says how it is written:

==========  =====================================================================
kind        how the parameter is written
==========  =====================================================================
(none)      text as it is, a number in the language's manner, a message rendered, a
            list of these with commas
``code``    digits as they are: a status, a line
``size``    a number of bytes: ``1.5 MB``
``moment``  a moment; here in UTC, in the panel in the reader's zone
``name``    a name that others gave, in quotation marks
``names``   a list of such names
==========  =====================================================================

The parameter ``n`` decides between singular and plural. The panel renders by the same catalogs
(``kore/ui/src/messages.ts``), and both are tested with ``tests/unit/service/messages.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from kore.shared.messages import PLAIN, Message

LOCALE = Path(__file__).with_name("locale")
ENGLISH = "en"
HINT = ".hint"

_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")
_MAX_NAME = 80
_QUOTED = "quoted"
_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


@lru_cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a catalog, English first."""
    found = sorted(path.stem for path in LOCALE.glob("*.po"))
    return (ENGLISH, *(each for each in found if each != ENGLISH))


@lru_cache
def read_catalog(language: str) -> Catalog:
    """Return a language's catalog."""
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Render in a language for as long as the block goes on, in this thread."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def speak(language: str) -> None:
    """Render in a language from here on, in this thread: for a request."""
    _language.set(language)


def spoken_language() -> str:
    """Return the language that messages are rendered in."""
    return _language.get()


def render(message: Message) -> str:
    """Return a message's text in the language that is spoken."""
    if message.id == PLAIN:
        return str(message.params.get("text", ""))
    language = _language.get()
    text = _text(message.id, message.params, language)
    if text is None:
        return message.id
    return _HOLE.sub(lambda hole: _write(hole, message.params, language), text)


def render_hint(message: Message) -> str:
    """Return what the reader can do about a message; "" where there is nothing to say."""
    hint = Message(message.id + HINT, message.params)
    return "" if _text(hint.id, hint.params, _language.get()) is None else render(hint)


def format_size(size: float) -> str:
    """Return a number of bytes as people read it, in the language that is spoken."""
    return _size(size, _language.get())


def _text(message_id: str, params: Any, language: str) -> str | None:
    for each in dict.fromkeys((language, ENGLISH)):
        catalog = read_catalog(each)
        found = catalog.get(message_id)
        if found is None or not found.string:
            continue
        if isinstance(found.string, str):
            return found.string
        place = _plural(catalog, params.get("n", 1))
        return str(found.string[min(place, len(found.string) - 1)])
    return None


def _plural(catalog: Catalog, number: Any) -> int:
    rule = {"one": 0}.get(Locale.parse(str(catalog.locale)).plural_form(abs(number)), 1)
    return rule if catalog.num_plurals > 1 else 0


def _write(hole: re.Match[str], params: Any, language: str) -> str:
    name, kind = hole.groups()
    if name not in params:
        return hole.group()
    return _value(params[name], kind, language)


def _value(value: Any, kind: str | None, language: str) -> str:
    match kind, value:
        case _, Message():
            return render(value)
        case (("name" | "names"), str()):
            return (_text(_QUOTED, {}, language) or "{name}").replace("{name}", _visible(value))
        case _, list() | tuple():
            return ", ".join(_value(part, kind, language) for part in value)
        case "size", int() | float():
            return _size(value, language)
        case "moment", str() | datetime():
            return _moment(value, language)
        case "code", _:
            return str(value)
        case _, int() | float():
            return str(format_decimal(value, locale=language))
    return str(value)


def _visible(name: str) -> str:
    """Return a hostile name as it may stand in a sentence."""
    text = name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 3] + "..."
    return text if text.isprintable() else ascii(text)[1:-1]


def _size(size: float, language: str) -> str:
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:  # noqa: PLR2004
        value, unit = value / 1000, unit + 1
    digits = float(f"{value:.3g}")
    length: Literal["short", "long"] = "short" if unit else "long"
    return format_unit(digits, f"digital-{_UNITS[unit]}", length, locale=language)


def _moment(value: str | datetime, language: str) -> str:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment.astimezone(UTC)
    day = format_date(moment, "medium", locale=language)
    time = format_time(moment, "short", locale=language)
    both = str(get_datetime_format("medium", locale=language))
    return f"{both.replace('{0}', time).replace('{1}', day)} UTC"
