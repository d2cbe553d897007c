"""Logins that are in progress: bound to one browser, usable once, valid for ten minutes.

A login's state is in a signed cookie of its own. So it needs no memory in the hub before the LMS
has identified someone, survives a restart of the hub, and one browser can have several. The hub's
memory holds only which logins have been used.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kore.hub.platforms import Platform
from kore.shared.lti.claims import Launch

LIFETIME = 600
COOKIE_PREFIX = "ananke-login-"
# If one browser has more than this, the oldest ones are dropped.
MAX_IN_BROWSER = 25
_HOLD_SECONDS = 60.0
_MAX_USED = 50_000
_STATE = re.compile(r"[A-Za-z0-9_-]{32}")


def new_state() -> str:
    """Return a new state (RFC 6749, 10.12) in URL-safe characters: platforms filter others."""
    return secrets.token_urlsafe(24)


def is_state(text: str) -> bool:
    """Whether a text has the format of our states."""
    return _STATE.fullmatch(text) is not None


def cookie_name(state: str) -> str:
    """Return the name of a login's cookie."""
    return COOKIE_PREFIX + state[:16]


def derive_nonce(state: str, secret: bytes) -> str:
    """Return the nonce for a state, which can be computed only with the hub's secret."""
    return hmac.new(secret, b"kore login nonce " + state.encode(), hashlib.sha256).hexdigest()


def write_cookie(state: str, platform: Platform) -> str:
    """Return the content of a login's cookie: state, issuer and client id. The hub signs it."""
    return json.dumps([state, platform.issuer, platform.client_id])


def read_cookie(value: bytes | None, state: str) -> tuple[str, str] | None:
    """Return issuer and client id from a verified cookie, None if it is another login's."""
    if value is None:
        return None
    cookie_state, issuer, client_id = json.loads(value)
    if not hmac.compare_digest(str(cookie_state).encode(), state.encode()):
        return None
    return issuer, client_id


class VerifiedLaunch(dict[str, Any]):
    """The claims of a verified id_token, and the launch that they describe.

    It passes through the hub's own login, which also passes on what a form or a JSON body
    contains: nothing from outside can be of this class.
    """

    def __init__(self, claims: dict[str, Any], launch: Launch, platform: Platform) -> None:
        super().__init__(claims)
        self.launch = launch
        self.platform = platform


class PendingLogins:
    """Remembers which logins were used, and which wait for the browser's last step.

    Bounded: entries expire, and the oldest make room for new ones.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: OrderedDict[str, float] = OrderedDict()
        self._waiting: OrderedDict[str, tuple[float, VerifiedLaunch]] = OrderedDict()

    def use(self, state: str) -> bool:
        """Mark a login as used. Return False if it was used before."""
        self._expire()
        if state in self._used:
            return False
        self._used[state] = self._clock() + LIFETIME
        return True

    def is_used(self, state: str) -> bool:
        """Whether a login was used."""
        return state in self._used

    def hold(self, state: str, verified: VerifiedLaunch) -> None:
        """Keep a verified launch for the last step, which follows at once."""
        self._waiting[state] = (self._clock() + _HOLD_SECONDS, verified)

    def take(self, state: str) -> VerifiedLaunch | None:
        """Return a verified launch and forget it, None if there is none."""
        self._expire()
        _, verified = self._waiting.pop(state, (0.0, None))
        return verified

    def _expire(self) -> None:
        now = self._clock()
        while self._used and (
            len(self._used) >= _MAX_USED or next(iter(self._used.values())) <= now
        ):
            self._used.popitem(last=False)
        while self._waiting and (
            len(self._waiting) >= _MAX_USED or next(iter(self._waiting.values()))[0] <= now
        ):
            self._waiting.popitem(last=False)
