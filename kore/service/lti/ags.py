"""Assignment and Grade Services (LTI AGS 2.0) of one LMS: line items, scores, results."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from kore.service.lti.ags_models import (
    LineItem,
    Result,
    Score,
    read_line_item,
    read_result,
)
from kore.service.lti.answers import Answer
from kore.service.lti.client import PlatformClient
from kore.service.lti.errors import ForeignHostError, NewerScoreError, RefusedError
from kore.service.lti.origins import TrustedOrigins, describe_origin
from kore.service.lti.tokens import Tokens
from kore.service.lti.urls import append_path, append_query, find_next_page
from kore.shared.messages import Message, message

_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM = _SCOPE + "lineitem"
LINEITEM_READONLY = _SCOPE + "lineitem.readonly"
RESULT = _SCOPE + "result.readonly"
SCORE = _SCOPE + "score"
SCOPES = (LINEITEM, LINEITEM_READONLY, RESULT, SCORE)

# An LMS may answer 400 to anything but the exact type.
_LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
_LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
_SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"

_MAX_PAGES = 200
# What LMS answer for someone who is not a student of the course.
_UNKNOWN_PERSON = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
)


class Ags:
    """The grade services of one LMS for one course. Safe to share between threads.

    ``offered`` are the scopes of the launch; without any, all are asked for. Every method
    raises ``RefusedError`` or ``UnavailableError``, ``ForeignHostError`` for a URL that is not at
    one of ``origins``, and ``StoppedError`` once ``stop`` is set.
    """

    def __init__(
        self,
        client: PlatformClient,
        tokens: Tokens,
        *,
        origins: TrustedOrigins,
        offered: tuple[str, ...] = (),
        stop: threading.Event | None = None,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._origins = origins
        self._scopes = frozenset(s for s in SCOPES if s in offered) or frozenset(SCOPES)
        self._stop = stop

    def is_trusted(self, url: str) -> bool:
        """Whether a URL is at one of the platform's hosts."""
        return url in self._origins

    def granted_scopes(self) -> frozenset[str]:
        """Return the scopes that the LMS grants; this gets a token if there is none yet."""
        return self._tokens.get(self._scopes, stop=self._stop).scopes

    def get_line_item(self, url: str) -> LineItem:
        """Return one line item."""
        answer = self._require(self._request("GET", url, {"Accept": _LINE_ITEM_TYPE}))
        item = read_line_item(answer.json(), fallback_url=url)
        if item is None:
            raise RefusedError("lms.no_line_item", http_status=answer.status)
        return item

    def list_line_items(self, url: str, *, resource_link_id: str) -> list[LineItem]:
        """Return the line items of an activity, and those that do not say whose they are."""
        url = append_query(url, {"resource_link_id": resource_link_id})
        items = (read_line_item(entry) for entry in self._read_pages(url, _LINE_ITEMS_TYPE))
        # An LMS that ignores the filter answers with the whole course's line items.
        ours = {resource_link_id, ""}
        return [item for item in items if item is not None and item.resource_link_id in ours]

    def create_line_item(
        self,
        url: str,
        *,
        label: str,
        maximum: float,
        resource_link_id: str,
        resource_id: str,
        tag: str,
    ) -> LineItem:
        """Create a line item. An LMS never deduplicates: look first."""
        body = {
            "label": label,
            "scoreMaximum": maximum,
            "resourceLinkId": resource_link_id,
            "resourceId": resource_id,
            "tag": tag,
        }
        headers = {"Accept": _LINE_ITEM_TYPE, "Content-Type": _LINE_ITEM_TYPE}
        answer = self._require(
            self._request("POST", url, headers, json.dumps(body).encode("ascii"))
        )
        item = read_line_item(answer.json(), fallback_url=answer.headers.get("Location"))
        if item is None:
            raise RefusedError("lms.line_item_without_url", http_status=answer.status)
        return item

    def send_score(self, line_item_url: str, score: Score) -> None:
        """Send a score; returns when the LMS has it.

        It is safe to repeat the same message. Raises ``NewerScoreError`` where the LMS has a
        later timestamp. Where an earlier try may have arrived, a refusal is believed only
        after the result was read back.
        """
        answer = self._request(
            "POST",
            append_path(line_item_url, "scores"),
            {"Content-Type": _SCORE_TYPE, "Accept": "*/*"},
            score.to_json(),
        )
        if answer.ok or (answer.uncertain and self.has_score(line_item_url, score)):
            return
        if answer.status == HTTPStatus.CONFLICT:
            raise NewerScoreError("lms.newer_score", http_status=answer.status)
        refusal = _describe_refusal(answer)
        if answer.status in _UNKNOWN_PERSON and "timestamp" not in _what_lms_said(answer).lower():
            refusal = message("lms.refused_person", reason=refusal)
        raise RefusedError(refusal, http_status=answer.status)

    def has_score(self, line_item_url: str, score: Score) -> bool:
        """Whether the LMS says that it has this score; False where it does not tell."""
        if RESULT not in self.granted_scopes():
            return False
        try:
            found = self.list_results(line_item_url, sub=score.sub).get(score.sub)
        except RefusedError:
            return False
        return found is not None and found.matches(score)

    def list_results(self, line_item_url: str, *, sub: str | None = None) -> dict[str, Result]:
        """Return what a line item holds, by ``sub``; people without a result are left out."""
        url = append_path(line_item_url, "results")
        if sub is not None:
            url = append_query(url, {"user_id": sub})
        found = (read_result(entry) for entry in self._read_pages(url, _RESULTS_TYPE))
        return dict(result for result in found if result is not None)

    def _read_pages(self, url: str, accept: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list over all its pages."""
        seen: set[str] = set()
        page: str | None = url
        while page is not None and page not in seen and len(seen) < _MAX_PAGES:
            seen.add(page)
            answer = self._require(self._request("GET", page, {"Accept": accept}))
            entries = answer.json()
            if not isinstance(entries, list):
                raise RefusedError("lms.no_list", http_status=answer.status)
            yield from (entry for entry in entries if isinstance(entry, dict))
            page = find_next_page(answer.headers.get("Link", ""), page)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request with a token; once more with a new one after a 401.

        Raises ForeignHostError, before anything is sent, for a host that is not the platform's.
        """
        if not self.is_trusted(url):
            raise ForeignHostError(describe_origin(url))
        for last in (False, True):
            token = self._tokens.get(self._scopes, stop=self._stop)
            answer = self._client.request(
                method, url, headers=headers, body=body, bearer=token.value, stop=self._stop
            )
            if answer.status != HTTPStatus.UNAUTHORIZED or last:
                break
            self._tokens.forget(token)
        return answer

    @staticmethod
    def _require(answer: Answer) -> Answer:
        """Return an answer of success; raises RefusedError for any other."""
        if not answer.ok:
            raise RefusedError(_describe_refusal(answer), http_status=answer.status)
        return answer


def _what_lms_said(answer: Answer) -> str:
    # Moodle repeats the whole request after its message, which says nothing to a teacher.
    return answer.said.partition('{"')[0].strip()


def _describe_refusal(answer: Answer) -> Message:
    said = _what_lms_said(answer)
    if said:
        return message("lms.refused.said", said=said, status=answer.status)
    return message("lms.refused", status=answer.status)
