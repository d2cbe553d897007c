"""Logins that were begun: bound to one browser, good once, gone after ten minutes.

What a begun login needs to remember lies in a signed cookie of its own, so a login costs
the hub no memory before the LMS has vouched for somebody, survives a restart of the hub,
and any number of them can be under way in one browser. In memory is only what was used up.
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
# Beyond this many at once in one browser, the oldest ones are given up.
MAX_IN_BROWSER = 25
_HOLD = 60.0
_MAX_USED = 50_000
_STATE = re.compile(r"[A-Za-z0-9_-]{32}")


def new_state() -> str:
    """Return a state (RFC 6749, 10.12) of URL-safe characters: platforms filter others."""
    return secrets.token_urlsafe(24)


def is_state(text: str) -> bool:
    """Return whether a text can be one of our states."""
    return _STATE.fullmatch(text) is not None


def cookie_name(state: str) -> str:
    """Return the name of the cookie of a login."""
    return COOKIE_PREFIX + state[:16]


def nonce_of(state: str, secret: bytes) -> str:
    """Return the nonce that belongs to a state: only who has the hub's secret can tell it."""
    return hmac.new(secret, b"kore login nonce " + state.encode(), hashlib.sha256).hexdigest()


def cookie_value(state: str, platform: Platform) -> str:
    """Return what the cookie keeps (the hub signs it): state, issuer and client id."""
    return json.dumps([state, platform.issuer, platform.client_id])


def read_cookie(value: bytes | None, state: str) -> tuple[str, str] | None:
    """Return issuer and client id from a cookie whose signature holds, None if not this login's."""
    if value is None:
        return None
    kept, issuer, client_id = json.loads(value)
    if not hmac.compare_digest(str(kept).encode(), state.encode()):
        return None
    return issuer, client_id


class VerifiedLaunch(dict[str, Any]):
    """The claims of an id_token that was verified, and what they say.

    It goes through the hub's own login, which also hands on whatever a form or a JSON body
    says: nothing from outside can be of this class.
    """

    def __init__(self, claims: dict[str, Any], launch: Launch, platform: Platform) -> None:
        super().__init__(claims)
        self.launch = launch
        self.platform = platform


class Logins:
    """Which logins are used up, and which wait for the browser's next step.

    Bounded: entries end by themselves, and the oldest give way.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: OrderedDict[str, float] = OrderedDict()
        self._waiting: OrderedDict[str, tuple[float, VerifiedLaunch]] = OrderedDict()

    def use(self, state: str) -> bool:
        """Use a login up. Return False if it was before."""
        self._forget()
        if state in self._used:
            return False
        self._used[state] = self._clock() + LIFETIME
        return True

    def is_used(self, state: str) -> bool:
        """Return whether a login is used up."""
        return state in self._used

    def hold(self, state: str, verified: VerifiedLaunch) -> None:
        """Keep a verified launch for the step that follows at once."""
        self._waiting[state] = (self._clock() + _HOLD, verified)

    def take(self, state: str) -> VerifiedLaunch | None:
        """Return a verified launch, once."""
        self._forget()
        _, verified = self._waiting.pop(state, (0.0, None))
        return verified

    def _forget(self) -> None:
        now = self._clock()
        while self._used and (
            len(self._used) >= _MAX_USED or next(iter(self._used.values())) <= now
        ):
            self._used.popitem(last=False)
        while self._waiting and (
            len(self._waiting) >= _MAX_USED or next(iter(self._waiting.values()))[0] <= now
        ):
            self._waiting.popitem(last=False)
