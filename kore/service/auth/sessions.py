"""Who calls Kore: the hub user or service behind a session or a token.

Identity is the hub's word alone. A browser has a session (the hub's OAuth token in a signed
cookie, RFC 6749 section 4.1) and shows by a CSRF token that a page of Kore sent the request;
a program has a hub token in its ``Authorization`` header and needs no CSRF token.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from flask import Request, current_app, session
from flask_wtf.csrf import CSRFError, CSRFProtect
from jupyterhub.services.auth import HubOAuth

from kore.service.errors import BadRequest, Forbidden
from kore.service.services import Services

_TOKEN, _LOGINS = "token", "logins"
_MAX_LOGINS, _LOGIN_SECONDS = 8, 600
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# How long a revoked token may still work.
_CACHE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Caller:
    """A hub user or service."""

    name: str
    kind: Literal["user", "service"]
    via: Literal["session", "token"]


class Callers:
    """Finds the caller of a request, with the hub's help."""

    def __init__(self, services: Services) -> None:
        self._services = services
        settings = services.settings
        self._hub = HubOAuth(
            api_url=settings.api_url,
            api_token=settings.api_token,
            base_url=settings.prefix + "/",
            cache_max_age=_CACHE_SECONDS,
        )
        self._first_call, self._called = threading.Lock(), threading.Event()
        self._admins: dict[str, tuple[float, bool]] = {}

    def identify(self, request: Request, csrf: CSRFProtect) -> Caller | None:
        """Return the caller; None where there are no credentials or they are of no use.

        Raises Forbidden for a session that changes something without its CSRF token.
        """
        header = request.headers.get("Authorization", "")
        if header:
            scheme, _, token = header.partition(" ")
            if scheme.lower() not in {"token", "bearer"} or not token.strip():
                return None
            return self._caller(token.strip(), "token", "")
        token = session.get(_TOKEN, "")
        if not token:
            return None
        caller = self._caller(token, "session", request.cookies.get("jupyterhub-session-id", ""))
        if caller is None:
            session.pop(_TOKEN, None)
        elif request.method not in _SAFE_METHODS:
            try:
                csrf.protect()
            except CSRFError as error:
                raise Forbidden("csrf") from error
        return caller

    def is_admin(self, caller: Caller) -> bool:
        """Whether the caller is an admin of the hub."""
        if caller.kind != "user":
            return False
        known = self._admins.get(caller.name)
        if known is None or known[0] < time.monotonic():
            model = self._services.hub.user(caller.name) or {}
            known = (time.monotonic() + _CACHE_SECONDS, bool(model.get("admin")))
            self._admins[caller.name] = known
        return known[1]

    def begin_login(self, next_path: str) -> str:
        """Return the hub's URL at which a browser signs in; remember where it was going."""
        moment = int(time.time())
        logins: dict[str, Any] = {
            state: login
            for state, login in session.get(_LOGINS, {}).items()
            if login[1] > moment - _LOGIN_SECONDS
        }
        while len(logins) >= _MAX_LOGINS:
            logins.pop(min(logins, key=lambda state: logins[state][1]))
        state = secrets.token_urlsafe(24)
        logins[state] = [next_path, moment]
        session[_LOGINS] = logins
        query = {
            "client_id": self._hub.oauth_client_id,
            "redirect_uri": self._hub.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
        }
        return f"{self._hub.oauth_authorization_url}?{urlencode(query)}"

    def finish_login(self, state: str, code: str) -> str:
        """Take the hub's code for a login that this browser began; return where it was going."""
        login = session.get(_LOGINS, {}).pop(state, None)
        session.modified = True
        if login is None or not code or login[1] < time.time() - _LOGIN_SECONDS:
            raise BadRequest("login_unknown")
        # A new person in the same browser begins with an empty session.
        session.clear()
        session[_TOKEN] = self._call_hub(self._hub.token_for_code, code)
        return str(login[0])

    def _caller(
        self, token: str, via: Literal["session", "token"], session_id: str
    ) -> Caller | None:
        model = self._call_hub(self._hub.user_for_token, token, session_id=session_id)
        if not model or not self._hub.check_scopes(self._hub.access_scopes, model):
            return None
        kind = model.get("kind")
        if kind not in {"user", "service"}:
            return None
        return Caller(name=model["name"], kind=kind, via=via)

    def _call_hub(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call one of ``HubOAuth``'s functions, the first time alone.

        It starts its thread in the first call: two at once would each start one, and get into
        each other's way.
        """
        if not self._called.is_set():
            with self._first_call:
                if not self._called.is_set():
                    found = call(*args, **options)
                    self._called.set()
                    return found
        return call(*args, **options)


def callers() -> Callers:
    """Return the application's ``Callers``."""
    found = current_app.extensions["kore-callers"]
    assert isinstance(found, Callers)
    return found
