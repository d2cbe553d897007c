"""Access tokens for an LMS's services: client credentials with a signed assertion.

(IMS Security Framework 1.0, section 4.1; RFC 7523.) One token serves every request that
needs the same scopes until shortly before it ends: a token for each score is what most
throttled tools are throttled for.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from kore.service.lti.errors import RefusedError
from kore.service.lti.http import Answer, Http
from kore.service.lti.keys import KeyStore

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN = re.compile(r"[!-~]{1,16384}")
# An LMS refuses an assertion from the future without leeway, and clocks differ.
_EARLY = 10
_ASSERTION_LIFE = 300
_DEFAULT_LIFE = 300.0
_LONGEST_LIFE = 86400.0
# Seconds before its end at which a token is not used any more.
_RESERVE = 60.0


@dataclass(frozen=True)
class Token:
    """An access token, the scopes that were granted, and when (monotonic) to renew it."""

    value: str
    scopes: frozenset[str]
    renew_at: float


class Tokens:
    """The tokens of one client of one LMS. Safe to share between threads."""

    def __init__(self, http: Http, keys: KeyStore, *, client_id: str, token_url: str) -> None:
        self._http = http
        self._keys = keys
        self._client_id = client_id
        self._token_url = token_url
        self._lock = threading.Lock()
        self._locks: dict[frozenset[str], threading.Lock] = {}
        self._cache: dict[frozenset[str], Token] = {}

    def get(self, scopes: Iterable[str], *, stop: threading.Event | None = None) -> Token:
        """Return a token that is good for a while, asking the LMS only if none is there.

        Which of the scopes it has is in the token: an LMS drops the others in silence.
        Raises ``RefusedError`` or ``UnavailableError``.
        """
        wanted = frozenset(scopes)
        with self._lock:
            lock = self._locks.setdefault(wanted, threading.Lock())
        with lock:
            token = self._cache.get(wanted)
            if token is None or time.monotonic() >= token.renew_at:
                token = self._cache[wanted] = self._fetch(wanted, stop)
            return token

    def forget(self, token: Token) -> None:
        """Drop a token that the LMS no longer takes, unless it was replaced already."""
        with self._lock:
            for scopes, cached in list(self._cache.items()):
                if cached is token:
                    del self._cache[scopes]

    def _fetch(self, scopes: frozenset[str], stop: threading.Event | None) -> Token:
        asked_at = time.monotonic()
        answer = self._ask(scopes, stop)
        if not answer.ok and answer.uncertain:
            # An assertion is good once, and a try that was lost may have used it.
            answer = self._ask(scopes, stop)
        if not answer.ok:
            raise _refusal(answer)
        return _read(answer, scopes, asked_at)

    def _ask(self, scopes: frozenset[str], stop: threading.Event | None) -> Answer:
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION,
                "client_assertion": self._assertion(),
                "scope": " ".join(sorted(scopes)),
            }
        )
        return self._http.request(
            "POST",
            self._token_url,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=form.encode("ascii"),
            stop=stop,
        )

    def _assertion(self) -> str:
        issued = int(time.time()) - _EARLY
        return self._keys.sign(
            {
                "iss": self._client_id,
                "sub": self._client_id,
                "aud": self._token_url,
                "iat": issued,
                "exp": issued + _ASSERTION_LIFE,
                "jti": uuid.uuid4().hex,
            }
        )


def _read(answer: Answer, wanted: frozenset[str], asked_at: float) -> Token:
    body = answer.json()
    value = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise RefusedError(
            "The LMS's answer to the request for access holds no token.", answer.status
        )
    life = body.get("expires_in")
    if isinstance(life, str) and life.isdecimal():
        life = float(life[:9])
    if isinstance(life, bool) or not isinstance(life, int | float) or not life > 0:
        life = _DEFAULT_LIFE
    life = min(float(life), _LONGEST_LIFE)
    granted = body.get("scope")
    # Without the member all that was asked for is granted (RFC 6749, 5.1).
    scopes = frozenset(granted.split()) & wanted if isinstance(granted, str) else wanted
    return Token(value, scopes, asked_at + max(life - _RESERVE, life / 2))


def _refusal(answer: Answer) -> RefusedError:
    if answer.status == 404:  # noqa: PLR2004
        words = "The LMS could not fetch Kore's key set, or its access point is not there (404)."
    elif answer.status in {400, 401, 403}:
        words = f"The LMS does not let Kore in ({answer.status} {answer.words()})."
    else:
        words = f"The LMS gave no access ({answer.status} {answer.words()})."
    return RefusedError(words, answer.status)
