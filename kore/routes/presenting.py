"""How pages put what Kore knows: order, numbers, moments, and a report as a table file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from kore.courses.launches import PROVISION
from kore.schemas import GradeEntry, JobInfo, JobItemInfo

_MOST_JOBS = 8
_UNSETTLED = {"refused", "failed"}
_ENTRY_ORDER = {"again": 0, "held_back": 1, "send": 2, "unchanged": 3}
_ITEM_ORDER = {"failed": 0, "refused": 1, "held_back": 2, "sent": 3, "unchanged": 4}
# What a spreadsheet takes as the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff0b", "\uff0d", "\uff1d", "\uff20")
_THOUSAND = 1000


def points(value: float | None) -> str:
    """Write points with at most two decimals, and none that are zero; "" for None."""
    if value is None:
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def size(number: int) -> str:
    """Write a number of bytes as people read it, in decimal units."""
    value, unit = float(number), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):  # noqa: B007
        if value < _THOUSAND - 0.5:
            break
        value /= _THOUSAND
    return f"{value:.3g} {unit}"


def moment(value: datetime) -> str:
    """Write a moment in UTC, for readers whose browser runs no scripts."""
    value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def entry_kind(entry: GradeEntry) -> str:
    """Say what a line of the preview is filed under: its action, or that it went wrong."""
    if entry.action == "send" and entry.last is not None and entry.last.state in _UNSETTLED:
        return "again"
    return entry.action


def entries_in_order(entries: Iterable[GradeEntry]) -> list[GradeEntry]:
    """Put the exceptions of a preview first, and people by name within each kind."""
    return sorted(
        entries,
        key=lambda entry: (
            _ENTRY_ORDER[entry_kind(entry)],
            entry.name.casefold(),
            entry.user,
        ),
    )


def items_in_order(items: Iterable[JobItemInfo]) -> list[JobItemInfo]:
    """Put the exceptions of a report first, and people by name within each outcome."""
    return sorted(
        items,
        key=lambda item: (_ITEM_ORDER.get(item.outcome, 0), item.label.casefold(), item.key),
    )


def to_repeat(items: Iterable[JobItemInfo]) -> list[str]:
    """Return the students of a report whose grades did not arrive."""
    return [item.key for item in items if item.outcome in _UNSETTLED]


def worth_showing(jobs: Sequence[JobInfo]) -> list[JobInfo]:
    """Leave out the set-ups that went well: there is one for each person who joins."""
    return [job for job in jobs if job.kind != PROVISION or job.state == "failed"][:_MOST_JOBS]


def as_csv(items: Iterable[JobItemInfo], header: Sequence[str], outcomes: dict[str, str]) -> str:
    """Write a report as CSV (RFC 4180), one line a student.

    ``header`` names the five columns: student, result, points, out of, and why. Text from
    outside can never become a formula of the spreadsheet that opens the file.
    """
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(header)
    for item in items_in_order(items):
        writer.writerow(
            [
                _as_text(item.label or item.key),
                outcomes.get(item.outcome, item.outcome),
                points(_number(item.detail.get("given"))),
                points(_number(item.detail.get("maximum"))),
                _as_text(item.words),
            ]
        )
    # Excel takes a file without this mark for one in the machine's old code page.
    return "\ufeff" + sheet.getvalue()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _as_text(text: str) -> str:
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text
