"""Sentences that versions before migration 0004 stored, and the messages that they were.

``sentences.json`` beside it is frozen: pairs of an English pattern and a message id. A hole is
``{parameter:kind}``:

===========  ====================================================
``number``   a number
``code``     digits that are no amount
``size``     ``1.5 MB``: becomes bytes
``moment``   ``2026-11-25 at 17:01``, in UTC: becomes ISO 8601
``words``    a sentence, or a part of one, that is a pattern itself
``name``     a name in quotation marks
``names``    several of these
``text``     text of others
===========  ====================================================
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from kore.shared.messages import Message, plain

_HOLE = re.compile(r"\{(\w+):(\w+)\}")
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_MOMENT = r"\d{4}-\d\d-\d\d(?: at)? \d\d:\d\d"
_QUOTED = r"\u201c.*\u201d|'.*'|\".*\""
# The shortest: other quotation marks may follow.
_NAME = r"\u201c.*?\u201d|'.*?'|\".*?\""
_KINDS = {
    "number": _NUMBER,
    "code": r"\d+",
    "size": r"\d+(?:\.\d+)?(?:e[+-]?\d+)? (?:bytes|kB|MB|GB|TB)",
    "moment": _MOMENT,
    "words": ".*",
    "name": _NAME,
    "names": _QUOTED,
    "text": ".*",
}
_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_MAX_DEPTH = 5


def read_sentence(text: str) -> Message:
    """Return the message that a stored sentence was; text of others where none fits."""
    return _read_refused(text) or _read(text, 0) or _read_counts(text) or plain(text)


@lru_cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, str], str]]:
    """Return pattern, kinds of its holes, and message id, the surest first."""
    path = Path(__file__).with_name("sentences.json")
    found = []
    for source, message_id in json.loads(path.read_text()):
        texts, kinds = _HOLE.split(source)[::3], dict(_HOLE.findall(source))
        pattern = re.escape(texts[0])
        for (name, kind), text in zip(kinds.items(), texts[1:], strict=True):
            pattern += f"(?P<{name}>{_KINDS[kind]})" + re.escape(text)
        weight = len("".join(texts))
        found.append((weight, re.compile(pattern, re.DOTALL), kinds, message_id))
    return [each[1:] for each in sorted(found, key=lambda each: -each[0])]


def _read(text: str, depth: int) -> Message | None:
    if depth > _MAX_DEPTH:
        return None
    for pattern, kinds, message_id in _patterns():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        params = {name: _value(kinds[name], raw, depth) for name, raw in match.groupdict().items()}
        if all(value is not None for value in params.values()):
            return Message(message_id, params)
    return None


def _read_refused(text: str) -> Message | None:
    """Return "Released ps1: The archive has a gap." as an action and the reason it was refused.

    Before all others: the action may end with a text of others, which would match all of it.
    """
    for colon in re.finditer(": ", text):
        action = _read(text[: colon.start()], 1)
        if action is not None and action.id.startswith("audit."):
            reason = _read(text[colon.end() :], 1)
            if reason is not None:
                return Message("audit.refused", {"action": action, "reason": reason})
    return None


def _read_counts(text: str) -> Message | None:
    """Return "3 sent, 1 failed" as a list of counts."""
    parts = [_read(part, 1) for part in re.split(r", (?=\d)", text.removesuffix("."))]
    return Message("counts", {"parts": parts}) if all(parts) else None


def _value(kind: str, raw: str, depth: int) -> Any:
    """Return what stood in a hole; None where it only looks like its kind."""
    try:
        value = _convert(kind, raw, depth)
    except (ValueError, OverflowError):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _convert(kind: str, raw: str, depth: int) -> Any:
    match kind:
        case "words":
            return _read(raw, depth + 1)
        case "name":
            return raw[1:-1]
        case "names":
            return raw[1:-1].split("\u201d, \u201c")
        case "size":
            number, unit = raw.split(" ")
            return round(float(number) * 1000 ** _UNITS.index(unit))
        case "moment":
            moment = datetime.fromisoformat(raw.replace(" at ", " "))
            return moment.replace(tzinfo=UTC).isoformat()
        case "number":
            return int(raw) if raw.lstrip("-").isdigit() else float(raw)
    return raw
