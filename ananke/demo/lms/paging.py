"""Pages of long lists, and their Link headers (RFC 8288)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Response, request

from ananke.demo.lms.platform import get_current_platform
from ananke.demo.lms.service_requests import ServiceError

Entry = TypeVar("Entry")
MAX_LIMIT = 1000
MAX_DIGITS = 9


@dataclass
class Page(Generic[Entry]):
    """One page of a list. `limit` is None if there is only one page."""

    entries: Sequence[Entry]
    start: int
    limit: int | None
    total: int


def cut_page(entries: Sequence[Entry], default_size: int | None) -> Page[Entry]:
    """Return the page that the request asks for with `limit` and `from`."""
    limit = _read_number("limit", 1)
    start = _read_number("from", 0) or 0
    size = default_size if limit is None else min(limit, default_size or MAX_LIMIT)
    if size is None:
        return Page(entries[start:], start, None, len(entries))
    return Page(entries[start : start + size], start, size, len(entries))


def _read_number(name: str, minimum: int) -> int | None:
    text = request.args.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) >= minimum):
        raise ServiceError(400, f"{name} is a whole number from {minimum}.")
    return int(text)


def add_link_headers(
    answer: Response,
    page: Page[Entry],
    url: Callable[[list[tuple[str, str]]], str],
    *,
    broken: bool | None = None,
) -> None:
    """Add the links to the pages around `page`; `url` makes a URL from extra parameters.

    `broken` (default: as in the profile): curly quotes and HTML entities, as observed.
    """
    if page.limit is None:
        return
    limit = page.limit
    starts = {"first": 0, "last": max(0, (page.total - 1) // limit * limit)}
    if page.start + limit < page.total:
        starts["next"] = page.start + limit
    if page.start > 0:
        starts["prev"] = max(0, page.start - limit)
    if broken is None:
        broken = get_current_platform().profile.broken_links
    for relation, start in starts.items():
        address = url([("limit", str(limit)), ("from", str(start))])
        if broken:
            text = f"<{address.replace('&', '&amp;')}>; rel=“{relation}”"
        else:
            text = f'<{address}>; rel="{relation}"'
        answer.headers.add("Link", text.encode().decode("latin-1"))
