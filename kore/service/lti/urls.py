"""URLs of grade services: paths below a line item, parameters, next pages."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from kore.shared.lti.claims import clean_url

_NEXT_LINK = re.compile(r'<([^<>]*)>\s*;[^,<]*?\brel\s*=\s*"?next\b', re.IGNORECASE)


def append_path(url: str, name: str) -> str:
    """Return a URL with a segment added to its path, before its query."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{name}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def append_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters added to those it has."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def find_next_page(link_header: str, current_url: str) -> str | None:
    """Return the next page's URL from a Link header (RFC 8288), None at the end.

    Seen in practice: typographic quotes, in the bytes of UTF-8 read as Latin-1, and ``&amp;``.
    A page on another host is not followed: the token is for this one.
    """
    for quote in ("\u201c", "\u201d"):
        link_header = link_header.replace(quote, '"')
        link_header = link_header.replace(quote.encode().decode("latin-1"), '"')
    found = _NEXT_LINK.search(link_header)
    if found is None:
        return None
    try:
        url = clean_url(urljoin(current_url, html.unescape(found.group(1).strip())))
    except ValueError:
        return None
    if url is None or urlsplit(url)[:2] != urlsplit(current_url)[:2]:
        return None
    return url
