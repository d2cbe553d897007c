"""Sanitises untrusted HTML: only its appearance is left.

Elements and attributes are an allow-list, which bleach checks after an HTML5 parse. Nothing that
is left runs, loads from elsewhere, covers other parts of a page, or could confuse the page's own
scripts (no ``id``, ``name``, ``data-*`` or foreign classes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from bs4 import BeautifulSoup

_ELEMENTS = frozenset(
    [
        *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "center", "blockquote"),
        *("ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "details", "summary"),
        *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
        *("pre", "code", "kbd", "samp", "var", "tt", "span", "a", "img", "abbr", "cite", "dfn"),
        *("b", "i", "u", "s", "strike", "em", "strong", "del", "ins", "mark", "q", "small"),
        *("sub", "sup"),
    ]
)
_EVERYWHERE = frozenset({"align", "class", "dir", "lang", "style", "title"})
_ATTRIBUTES = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "ol": frozenset({"start", "type"}),
    "li": frozenset({"value"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan", "scope"}),
    "col": frozenset({"span"}),
    "colgroup": frozenset({"span"}),
    "details": frozenset({"open"}),
}
# Colours and fonts. Nothing that moves or sizes a box, and nothing that takes a URL.
_STYLES = [
    *("color", "background-color", "font-style", "font-weight", "font-variant"),
    *("text-align", "text-decoration", "vertical-align", "white-space"),
]
# Pygments' short names, and the classes of tables and code.
_CLASS = re.compile(r"[a-z][a-z0-9]{0,2}|highlight|dataframe|rendered_html|table(-[a-z]+)?")
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_SIZE = re.compile(r"[0-9]{1,4}(px|%)?")
_EXTERNAL_URL = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
# A file next to the notebook: no scheme, no host, no way up, and nothing that a URL parser
# drops or changes (control characters, backslashes).
_RELATIVE_URL = re.compile(r"(?![/\\])(?!.*(^|[/\\])\.\.([/\\]|$))[^\x00-\x20:\\?#%]+")
_REMOVED_ELEMENTS = ["script", "style", "template", "noscript", "title", "head", "iframe", "object"]


def sanitise_html(html: str) -> str:
    """Return HTML reduced to what is safe inside a page."""
    soup = BeautifulSoup(html, "html.parser")
    # Their content is not text for people. What this parser misses, bleach does not.
    for element in soup.find_all(_REMOVED_ELEMENTS):
        element.decompose()
    return str(_cleaner.clean(str(soup)))


def _has_safe_value(element: str, attribute: str, value: str) -> bool:
    if attribute == "class":
        return all(_CLASS.fullmatch(name) for name in value.split())
    if attribute == "href":
        return bool(_EXTERNAL_URL.match(value.strip()) or _RELATIVE_URL.fullmatch(value.strip()))
    if attribute == "src":
        return bool(_IMAGE.fullmatch(value.strip()) or _RELATIVE_URL.fullmatch(value.strip()))
    if attribute in {"width", "height"}:
        return bool(_SIZE.fullmatch(value))
    return attribute in _EVERYWHERE or attribute in _ATTRIBUTES.get(element, ())


def _is_allowed(element: str, attribute: str, value: str) -> bool:
    known = attribute in _EVERYWHERE or attribute in _ATTRIBUTES.get(element, ())
    return known and _has_safe_value(element, attribute, value)


class _Links(Filter):  # type: ignore[misc]
    """Opens links in a new window that learns nothing about this page."""

    def __iter__(self) -> Iterator[Any]:
        for token in super().__iter__():
            if token["type"] in {"StartTag", "EmptyTag"} and token["name"] == "a":
                token["data"][(None, "rel")] = "noopener noreferrer nofollow"
                token["data"][(None, "target")] = "_blank"
            yield token


_cleaner = Cleaner(
    tags=_ELEMENTS,
    attributes=_is_allowed,
    protocols=frozenset({"http", "https", "mailto", "data"}),
    strip=True,
    strip_comments=True,
    filters=[_Links],
    css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES, allowed_svg_properties=[]),
)
