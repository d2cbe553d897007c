"""Access tokens for an LMS's services: client credentials with a signed assertion.

Sources: IMS Security Framework 1.0, section 4.1; RFC 7523. One token serves every request with
the same scopes until shortly before it expires: asking for one per score is what most tools
are throttled for.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from kore.service.lti.answers import Answer
from kore.service.lti.client import PlatformClient
from kore.service.lti.errors import RefusedError
from kore.service.lti.keys import KeyStore
from kore.shared.messages import message

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Answers that say that the LMS does not accept Kore as its tool.
_DENIED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_TOKEN = re.compile(r"[!-~]{1,16384}")
# LMS refuse an assertion from the future without leeway, and clocks differ.
_BACKDATE_SECONDS = 10
_ASSERTION_SECONDS = 300
_DEFAULT_SECONDS = 300.0
_MAX_SECONDS = 86400.0
# A token is renewed so long before it expires.
_RENEW_EARLY_SECONDS = 60.0


@dataclass(frozen=True)
class Token:
    """An access token, the scopes that were granted, and when (monotonic) to renew it."""

    value: str
    scopes: frozenset[str]
    renew_at: float


class Tokens:
    """The access tokens of one client of one LMS. Safe to share between threads."""

    def __init__(
        self, client: PlatformClient, keys: KeyStore, *, client_id: str, token_url: str
    ) -> None:
        self._client = client
        self._keys = keys
        self._client_id = client_id
        self._token_url = token_url
        self._lock = threading.Lock()
        self._locks: dict[frozenset[str], threading.Lock] = {}
        self._cache: dict[frozenset[str], Token] = {}

    def get(self, scopes: Iterable[str], *, stop: threading.Event | None = None) -> Token:
        """Return a token that stays valid for a while; asks the LMS only if there is none.

        The token says which of the scopes it has: an LMS drops the others in silence.
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
        """Drop a token that the LMS no longer accepts, unless it was replaced already."""
        with self._lock:
            for scopes, cached in list(self._cache.items()):
                if cached is token:
                    del self._cache[scopes]

    def _fetch(self, scopes: frozenset[str], stop: threading.Event | None) -> Token:
        asked_at = time.monotonic()
        answer = self._request(scopes, stop)
        if not answer.ok and answer.uncertain:
            # An assertion can be used once, and a lost try may have used it.
            answer = self._request(scopes, stop)
        if not answer.ok:
            raise _refusal(answer)
        return _read_token(answer, scopes, asked_at)

    def _request(self, scopes: frozenset[str], stop: threading.Event | None) -> Answer:
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._sign_assertion(),
                "scope": " ".join(sorted(scopes)),
            }
        )
        return self._client.request(
            "POST",
            self._token_url,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=form.encode("ascii"),
            stop=stop,
        )

    def _sign_assertion(self) -> str:
        issued = int(time.time()) - _BACKDATE_SECONDS
        return self._keys.sign(
            {
                "iss": self._client_id,
                "sub": self._client_id,
                "aud": self._token_url,
                "iat": issued,
                "exp": issued + _ASSERTION_SECONDS,
                "jti": uuid.uuid4().hex,
            }
        )


def _read_token(answer: Answer, wanted: frozenset[str], asked_at: float) -> Token:
    body = answer.json()
    value = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise RefusedError("lms.no_token", http_status=answer.status)
    seconds = body.get("expires_in")
    if isinstance(seconds, str) and seconds.isdecimal():
        seconds = float(seconds[:9])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        seconds = _DEFAULT_SECONDS
    seconds = min(float(seconds), _MAX_SECONDS)
    granted = body.get("scope")
    # Without the member all that was asked for is granted (RFC 6749, 5.1).
    scopes = frozenset(granted.split()) & wanted if isinstance(granted, str) else wanted
    return Token(value, scopes, asked_at + max(seconds - _RENEW_EARLY_SECONDS, seconds / 2))


def _refusal(answer: Answer) -> RefusedError:
    status, said = answer.status, answer.said
    if status == HTTPStatus.NOT_FOUND:
        found = message("lms.no_key_set", status=status)
    elif status in _DENIED and said:
        found = message("lms.access_denied.said", status=status, said=said)
    elif status in _DENIED:
        found = message("lms.access_denied", status=status)
    elif said:
        found = message("lms.access_failed.said", status=status, said=said)
    else:
        found = message("lms.access_failed", status=status)
    return RefusedError(found, http_status=status)
