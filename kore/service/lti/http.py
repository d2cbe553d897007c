"""The careful way out to one LMS.

Connections are kept, everything has a time limit and a size limit, redirects are not
followed (a token would go where the redirect says), and what may pass by itself is tried
again: throttling, overload, lost connections. What comes back is an answer or words.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from kore.service.lti.errors import RefusedError, StoppedError, UnavailableError
from kore.service.lti.throttle import Gate
from kore.shared.lti.claims import clean_text

_MAX_BODY = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_TOO_MANY = 429
_FORBIDDEN = 403
_ERROR = 500
# Overload and gateways: the same request may well pass a little later.
_PASSING = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """Limits on waiting, in seconds where not said otherwise.

    ``tries`` counts the first as well. ``answer`` bounds one answer as a whole, ``budget``
    all tries of one request together. ``longest`` bounds the wait that an LMS may ask for;
    one that asks for more is unavailable.
    """

    connect: float = 5.0
    read: float = 30.0
    answer: float = 60.0
    tries: int = 6
    first_wait: float = 0.5
    longest: float = 60.0
    budget: float = 180.0


@dataclass(frozen=True)
class Answer:
    """What an LMS answered in the end.

    ``uncertain`` says that an earlier try of the same request was lost underway, so that it
    may have been carried out already.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    uncertain: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300  # noqa: PLR2004

    def json(self) -> Any:
        """Return the body as JSON, None where it is not: labels and errors lie."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def words(self) -> str:
        """Return what the LMS says about it: reason phrase and message, as one line."""
        return " ".join(t for t in (_reason(self.reason), _message(self.json())) if t)[:300]


def _reason(reason: str) -> str:
    # http.client reads status lines as Latin-1; an LMS writes UTF-8.
    try:
        return clean_text(reason.encode("latin-1").decode("utf-8"))
    except UnicodeError:
        return clean_text(reason)


def _message(body: Any) -> str:
    """Return the message in an error's JSON, of any of the usual shapes."""
    if isinstance(body, str):
        return clean_text(body)
    if isinstance(body, list):
        return _message(body[0]) if body else ""
    if isinstance(body, dict):
        for key in ("error_description", "message", "errors", "error", "detail", "title"):
            if words := _message(body.get(key)):
                return words
    return ""


class _LostError(Exception):
    """One try brought no answer, and another may."""

    def __init__(self, words: str, *, uncertain: bool) -> None:
        super().__init__(words)
        self.uncertain = uncertain


class _Bearer(requests.auth.AuthBase):
    """A token, or none. With any ``auth`` set, requests leaves ``~/.netrc`` alone."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Http:
    """Requests to one LMS. Safe to share between threads."""

    def __init__(self, *, limit: int = 4, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._gate = Gate(limit)
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

        Raises ``UnavailableError`` when none came in spite of repeated tries, ``RefusedError`` when
        what came is not HTTP, ``StoppedError`` when ``stop`` was set while it waited. A request
        is repeated as it is: its effect must be the same when it arrives twice.
        """
        uncertain = False
        deadline = None
        for attempt in range(1, self._patience.tries + 1):
            with self._gate.place(stop):
                deadline = deadline or time.monotonic() + self._patience.budget
                try:
                    answer = self._once(method, url, headers or {}, body, bearer)
                except _LostError as lost:
                    uncertain = uncertain or lost.uncertain
                    words = str(lost)
                    wait = self._back_off(attempt)
                else:
                    complaint = _complaint(answer)
                    if complaint is None or (answer.status == _ERROR and attempt > 1):
                        self._gate.content()
                        return Answer(
                            answer.status, answer.reason, answer.headers, answer.body, uncertain
                        )
                    words = complaint
                    wait = self._wait_asked_for(answer, attempt)
                    if _throttled(answer):
                        self._gate.throttle(min(wait, self._patience.longest))
                    else:
                        # A gateway gives up on a server that may still finish.
                        uncertain = True
            if wait > self._patience.longest:
                raise UnavailableError(
                    f"{words} It asks to wait {wait:.0f} seconds.", uncertain=uncertain
                )
            if attempt == self._patience.tries or time.monotonic() + wait > deadline:
                break
            _sleep(wait, stop)
        raise UnavailableError(words, uncertain=uncertain)

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        bearer: str | None,
    ) -> Answer:
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                auth=_Bearer(bearer),
                timeout=(self._patience.connect, self._patience.read),
                allow_redirects=False,
                stream=True,
                proxies=_proxies(url),
            ) as response:
                content = self._read(response)
                return Answer(
                    response.status_code, response.reason or "", response.headers, content
                )
        except requests.exceptions.SSLError as error:
            raise UnavailableError(
                "The connection to the LMS is not trusted: its certificate could not be verified."
            ) from error
        except requests.exceptions.ConnectTimeout as error:
            raise _LostError(
                "The LMS cannot be reached: no connection in time.", uncertain=False
            ) from (error)
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise _LostError("The LMS did not answer in time.", uncertain=True) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _explain(error) from error
        except (ValueError, OSError) as error:
            # Names that no resolver takes, and the like.
            raise RefusedError(
                "The address that the LMS gave for this cannot be used.", 0
            ) from error

    def _read(self, response: requests.Response) -> bytes:
        """Return the body, bounded in size, and in time even where it comes in drops."""
        deadline = time.monotonic() + self._patience.answer
        content = bytearray()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            content += chunk
            if len(content) > _MAX_BODY:
                raise RefusedError("The LMS's answer is too long to be one.", response.status_code)
            if time.monotonic() > deadline:
                raise _LostError("The LMS did not finish its answer in time.", uncertain=True)
        # urllib3 does so by itself only where there was a body; else the connection closes.
        response.raw.release_conn()
        return bytes(content)

    def _back_off(self, attempt: int) -> float:
        """Return the seconds to wait after a try: doubling, and never the same for two."""
        most = min(self._patience.first_wait * 2.0 ** (attempt - 1), self._patience.longest)
        return most * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret

    def _wait_asked_for(self, answer: Answer, attempt: int) -> float:
        asked = _retry_after(answer.headers.get("Retry-After"))
        return self._back_off(attempt) if asked is None else asked


def _sleep(seconds: float, stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise StoppedError("Stopped while the LMS was busy.")


def _retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3)."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _throttled(answer: Answer) -> bool:
    """Whether the LMS asks to slow down: 429, or Canvas's 403 that is none."""
    if answer.status == _TOO_MANY:
        return True
    if answer.status != _FORBIDDEN:
        return False
    text = f"{answer.reason} {answer.body[:1000].decode('utf-8', 'replace')}".lower()
    return "rate limit" in text or "Retry-After" in answer.headers


def _complaint(answer: Answer) -> str | None:
    """Return words for an answer that may be another one a little later."""
    if _throttled(answer):
        return "The LMS asks to slow down."
    if answer.status in _PASSING:
        return f"The LMS is not available at the moment ({answer.status})."
    if answer.status == _ERROR:
        return f"The LMS had an error of its own ({answer.status})."
    return None


def _explain(error: Exception) -> Exception:
    """Return what a failed try was: lost on the way, or not HTTP at all."""
    causes = list(_causes(error))
    if any(
        isinstance(cause, urllib3.exceptions.NewConnectionError | requests.exceptions.ProxyError)
        for cause in causes
    ):
        return _LostError("The LMS cannot be reached.", uncertain=False)
    if any(
        isinstance(cause, OSError | urllib3.exceptions.IncompleteRead | http.client.IncompleteRead)
        and not isinstance(cause, requests.exceptions.RequestException)
        for cause in causes
    ):
        # http.client's RemoteDisconnected is a ConnectionResetError, too.
        return _LostError("The connection to the LMS was lost.", uncertain=True)
    if any(
        isinstance(cause, http.client.HTTPException | urllib3.exceptions.DecodeError)
        for cause in causes
    ):
        return RefusedError("The LMS refused with an answer that is not HTTP.", 0)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return RefusedError("The address that the LMS gave for this cannot be used.", 0)
    return _LostError("The connection to the LMS failed.", uncertain=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps: requests and urllib3 keep causes in their arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (current.__cause__, current.__context__, getattr(current, "reason", None))
        waiting += [e for e in (*current.args, *inner) if isinstance(e, BaseException)]


def _proxies(url: str) -> dict[str, str] | None:
    """Leave a proxy from the environment out where the LMS is on this machine."""
    host = urlsplit(url).hostname or ""
    loopback = host in {"localhost", "::1"} or host.startswith("127.")
    return {"no_proxy": host} if loopback else None
