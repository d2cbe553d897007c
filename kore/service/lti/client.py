"""HTTP client for one platform: retries, time limits, throttling.

Connections are kept, everything is bounded in time and size, redirects are not followed (a
token would go where the redirect says), and faults that may pass are tried again: throttling,
overload, lost connections.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from kore.service.lti.answers import Answer
from kore.service.lti.errors import RefusedError, StoppedError, UnavailableError
from kore.service.lti.failures import LostError, explain
from kore.service.lti.throttle import Throttle
from kore.shared.messages import message

_MAX_BODY = 8 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class RetryPolicy:
    """Time limits and retries of one request, in seconds unless stated otherwise.

    ``connect`` and ``read`` bound the wait for a connection and for the next bytes, ``answer``
    one answer as a whole, ``budget`` all tries together. ``max_tries`` counts the first one.
    An LMS that asks to wait longer than ``max_wait`` is unavailable.
    """

    connect: float = 5.0
    read: float = 30.0
    answer: float = 60.0
    max_tries: int = 6
    first_wait: float = 0.5
    max_wait: float = 60.0
    budget: float = 180.0


class _BearerAuth(requests.auth.AuthBase):
    """A token, or none. With any ``auth`` set, requests ignores ``~/.netrc``."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class PlatformClient:
    """Sends requests to one LMS, at most ``limit`` at once. Safe to share between threads."""

    def __init__(self, *, limit: int = 4, policy: RetryPolicy | None = None) -> None:
        self._policy = policy or RetryPolicy()
        self._throttle = Throttle(limit)
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers["User-Agent"] = "Kore"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=limit))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        bearer: str | None = None,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Return the LMS's final answer, whatever its status.

        Raises ``UnavailableError`` if none came after all tries, ``RefusedError`` if what came
        is not HTTP, ``StoppedError`` if ``stop`` was set while it waited. A request is
        repeated unchanged: its effect must be the same when it arrives twice.
        """
        uncertain = False
        deadline = None
        for attempt in range(1, self._policy.max_tries + 1):
            with self._throttle.slot(stop):
                deadline = deadline or time.monotonic() + self._policy.budget
                try:
                    answer = self._send(method, url, headers or {}, body, bearer)
                except LostError as lost:
                    uncertain = uncertain or lost.uncertain
                    fault = lost.message
                    wait = self._back_off(attempt)
                else:
                    found = answer.describe_transient_fault()
                    if found is None or (
                        answer.status == HTTPStatus.INTERNAL_SERVER_ERROR and attempt > 1
                    ):
                        self._throttle.note_success()
                        return replace(answer, uncertain=uncertain)
                    fault = found
                    asked = answer.retry_after
                    wait = self._back_off(attempt) if asked is None else asked
                    if answer.is_throttled:
                        self._throttle.slow_down(min(wait, self._policy.max_wait))
                    else:
                        # A gateway gives up on a server that may still finish.
                        uncertain = True
            if wait > self._policy.max_wait:
                fault = message("lms.wait_too_long", reason=fault, n=round(wait))
                break
            if attempt == self._policy.max_tries or time.monotonic() + wait > deadline:
                break
            _sleep(wait, stop)
        raise UnavailableError(fault, uncertain=uncertain)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        bearer: str | None,
    ) -> Answer:
        """Send a request once; raises LostError where another try may succeed."""
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                auth=_BearerAuth(bearer),
                timeout=(self._policy.connect, self._policy.read),
                allow_redirects=False,
                stream=True,
                proxies=_choose_proxies(url),
            ) as response:
                content = self._read_body(response)
                return Answer(
                    response.status_code, response.reason or "", response.headers, content
                )
        except (ValueError, OSError, urllib3.exceptions.HTTPError) as error:
            # requests' own exceptions are OSErrors.
            raise explain(error) from error

    def _read_body(self, response: requests.Response) -> bytes:
        """Return the body, bounded in size, and in time even where it arrives in drops."""
        deadline = time.monotonic() + self._policy.answer
        content = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > _MAX_BODY:
                raise RefusedError("lms.answer_too_long", http_status=response.status_code)
            if time.monotonic() > deadline:
                raise LostError(message("lms.answer_timeout"), uncertain=True)
        # urllib3 does so by itself only where there was a body; else the connection closes.
        response.raw.release_conn()
        return bytes(content)

    def _back_off(self, attempt: int) -> float:
        """Return the seconds to wait after a try: doubling, and never the same for two."""
        longest = min(self._policy.first_wait * 2.0 ** (attempt - 1), self._policy.max_wait)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret


def _sleep(seconds: float, stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise StoppedError


def _choose_proxies(url: str) -> dict[str, str] | None:
    """Return settings that bypass the environment's proxy where the LMS is on this machine."""
    host = urlsplit(url).hostname or ""
    loopback = host in {"localhost", "::1"} or host.startswith("127.")
    return {"no_proxy": host} if loopback else None
