"""Assignment and Grade Services (LTI AGS 2.0): columns, scores, results."""

from __future__ import annotations

import html
import json
import math
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from kore.service.lti.errors import NewerError, RefusedError
from kore.service.lti.http import Answer, Http
from kore.service.lti.tokens import Tokens
from kore.shared.lti.claims import clean_text, clean_url

_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM = _SCOPE + "lineitem"
LINEITEM_READONLY = _SCOPE + "lineitem.readonly"
RESULT = _SCOPE + "result.readonly"
SCORE = _SCOPE + "score"
SCOPES = (LINEITEM, LINEITEM_READONLY, RESULT, SCORE)

# An LMS may answer 400 to anything but the exact type.
_COLUMN = "application/vnd.ims.lis.v2.lineitem+json"
_COLUMNS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_MESSAGE = "application/vnd.ims.lis.v1.score+json"

_MOST_PAGES = 200
_UNAUTHORIZED, _CONFLICT = 401, 409
# What the products answer for somebody who is no student of the course.
_UNKNOWN_PERSON = frozenset({400, 404, 422})
_LINK = re.compile(r'<([^<>]*)>\s*;[^,<]*?\brel\s*=\s*"?next\b', re.IGNORECASE)


@dataclass(frozen=True)
class LineItem:
    """A column of the LMS's gradebook. ``url`` names it; texts are "" where absent."""

    url: str
    label: str
    maximum: float
    resource_id: str
    tag: str
    resource_link_id: str


@dataclass(frozen=True)
class Score:
    """A score message (AGS 2.0, 3.4): points of a person, final and fully graded.

    ``timestamp`` is aware; it must be later than that of each score sent before for the
    same person and column, and some LMS compare whole seconds only.
    """

    sub: str
    given: float
    maximum: float
    timestamp: datetime

    def body(self) -> bytes:
        """Return the message as JSON, with milliseconds and zone in its time."""
        message = {
            "userId": self.sub,
            "scoreGiven": self.given,
            "scoreMaximum": self.maximum,
            "timestamp": self.timestamp.isoformat(timespec="milliseconds"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        return json.dumps(message).encode("ascii")


@dataclass(frozen=True)
class Result:
    """What a gradebook holds for a person: points of a maximum, both on the LMS's scale."""

    score: float
    maximum: float

    def is_that_of(self, score: Score) -> bool:
        """Whether this is what became of a score: rescaled, rounded to 5 places, or clamped."""
        if score.maximum <= 0:
            return False
        expected = score.given * self.maximum / score.maximum
        return any(
            abs(self.score - value) < 1.1e-5  # noqa: PLR2004
            for value in (expected, min(expected, self.maximum))
        )


class Ags:
    """The grade services of one LMS for one course. Safe to share between threads.

    ``offered`` are the scopes of the launch; without any, all are asked for. Every method
    raises ``RefusedError`` or ``UnavailableError``, and ``StoppedError`` once ``stop`` is set.
    """

    def __init__(
        self,
        http: Http,
        tokens: Tokens,
        *,
        offered: tuple[str, ...] = (),
        stop: threading.Event | None = None,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._scopes = frozenset(s for s in SCOPES if s in offered) or frozenset(SCOPES)
        self._stop = stop

    def granted(self) -> frozenset[str]:
        """Return the scopes that the LMS grants; this gets a token if there is none yet."""
        return self._tokens.get(self._scopes, stop=self._stop).scopes

    def column(self, url: str) -> LineItem:
        """Return one column."""
        answer = self._require(self._ask("GET", url, {"Accept": _COLUMN}))
        item = _line_item(answer.json(), fallback=url)
        if item is None:
            raise RefusedError("The LMS's answer describes no column.", answer.status)
        return item

    def columns(self, lineitems: str, *, resource_link_id: str) -> list[LineItem]:
        """Return the columns of an activity, and those that do not say whose they are."""
        url = _with_query(lineitems, {"resource_link_id": resource_link_id})
        entries = (_line_item(entry) for entry in self._pages(url, _COLUMNS))
        # An LMS that ignores the filter answers with the whole course's columns.
        mine = {resource_link_id, ""}
        return [e for e in entries if e is not None and e.resource_link_id in mine]

    def create_column(
        self,
        lineitems: str,
        *,
        label: str,
        maximum: float,
        resource_link_id: str,
        resource_id: str,
        tag: str,
    ) -> LineItem:
        """Create a column. An LMS never deduplicates: look first."""
        body = {
            "label": label,
            "scoreMaximum": maximum,
            "resourceLinkId": resource_link_id,
            "resourceId": resource_id,
            "tag": tag,
        }
        headers = {"Accept": _COLUMN, "Content-Type": _COLUMN}
        answer = self._require(
            self._ask("POST", lineitems, headers, json.dumps(body).encode("ascii"))
        )
        item = _line_item(answer.json(), fallback=answer.headers.get("Location"))
        if item is None:
            raise RefusedError("The LMS made a column without saying where.", answer.status)
        return item

    def send(self, column: str, score: Score) -> None:
        """Send a score; returns when the LMS has it.

        A repetition of the same message is safe. Raises ``NewerError`` where the LMS has a
        later timestamp. Where an earlier try may have arrived, a refusal is believed only
        after the result was read back.
        """
        answer = self._ask(
            "POST",
            _below(column, "scores"),
            {"Content-Type": _MESSAGE, "Accept": "*/*"},
            score.body(),
        )
        if answer.ok or (answer.uncertain and self.holds(column, score)):
            return
        if answer.status == _CONFLICT:
            raise NewerError(
                "The LMS holds something newer, for example a grade that was typed in there. "
                "It was left as it is.",
                answer.status,
            )
        raise _refusal(answer, person=True)

    def holds(self, column: str, score: Score) -> bool:
        """Whether the LMS says that it has this score; no, where it does not tell."""
        if RESULT not in self.granted():
            return False
        try:
            found = self.results(column, sub=score.sub).get(score.sub)
        except RefusedError:
            return False
        return found is not None and found.is_that_of(score)

    def results(self, column: str, *, sub: str | None = None) -> dict[str, Result]:
        """Return what a column holds, by ``sub``; whoever has no result is left out."""
        url = _below(column, "results")
        if sub is not None:
            url = _with_query(url, {"user_id": sub})
        found = {}
        for entry in self._pages(url, _RESULTS):
            user, score = entry.get("userId"), _number(entry.get("resultScore"))
            maximum = _number(entry.get("resultMaximum"))
            if isinstance(user, str | int) and score is not None:
                # Without a maximum the scale is 1 (AGS 2.0, 3.3.4.3).
                found[str(user)] = Result(score, 1.0 if maximum is None else maximum)
        return found

    def _pages(self, url: str, accept: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list over all its pages."""
        seen: set[str] = set()
        following: str | None = url
        while following is not None and following not in seen and len(seen) < _MOST_PAGES:
            seen.add(following)
            answer = self._require(self._ask("GET", following, {"Accept": accept}))
            entries = answer.json()
            if not isinstance(entries, list):
                raise RefusedError("The LMS's answer is not the list it should be.", answer.status)
            yield from (entry for entry in entries if isinstance(entry, dict))
            following = _next_page(answer.headers.get("Link", ""), following)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Ask with a token; once more with a new one where the LMS no longer takes the old."""
        for last in (False, True):
            token = self._tokens.get(self._scopes, stop=self._stop)
            answer = self._http.request(
                method, url, headers=headers, body=body, bearer=token.value, stop=self._stop
            )
            if answer.status != _UNAUTHORIZED or last:
                break
            self._tokens.forget(token)
        return answer

    @staticmethod
    def _require(answer: Answer) -> Answer:
        if not answer.ok:
            raise _refusal(answer)
        return answer


def _refusal(answer: Answer, *, person: bool = False) -> RefusedError:
    """Return a refusal with the LMS's words; ``person`` where it may be about a person."""
    # Moodle repeats the whole message, which says nothing to a teacher.
    said = answer.words().partition('{"')[0].strip()
    words = (
        f"The LMS refused: {said} ({answer.status})."
        if said
        else (f"The LMS refused ({answer.status}).")
    )
    if person and answer.status in _UNKNOWN_PERSON and "timestamp" not in said.lower():
        words = f"{words} Is this person still a student of the course there?"
    return RefusedError(words, answer.status)


def _line_item(entry: Any, fallback: str | None = None) -> LineItem | None:
    if not isinstance(entry, dict):
        return None
    url = clean_url(entry.get("id")) or clean_url(fallback)
    if url is None:
        return None

    def text(name: str) -> str:
        value = entry.get(name)
        return str(value) if isinstance(value, str | int) else ""

    return LineItem(
        url=url,
        label=clean_text(entry.get("label")),
        maximum=_number(entry.get("scoreMaximum")) or 0.0,
        resource_id=text("resourceId"),
        tag=text("tag"),
        resource_link_id=text("resourceLinkId"),
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _below(column: str, name: str) -> str:
    """Return the URL of a column's scores or results: in its path, before its query."""
    parts = urlsplit(column)
    path = f"{parts.path.rstrip('/')}/{name}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with parameters added to those it has."""
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _next_page(header: str, current: str) -> str | None:
    """Return the next page's URL from a Link header (RFC 8288), None at the end.

    Seen in practice: typographic quotes, in the bytes of UTF-8 read as Latin-1, and ``&amp;``.
    A page on another host is not followed: the token is for this one.
    """
    for quote in ("\u201c", "\u201d"):
        header = header.replace(quote, '"').replace(quote.encode().decode("latin-1"), '"')
    found = _LINK.search(header)
    if found is None:
        return None
    try:
        url = clean_url(urljoin(current, html.unescape(found.group(1).strip())))
    except ValueError:
        return None
    if url is None or urlsplit(url)[:2] != urlsplit(current)[:2]:
        return None
    return url
