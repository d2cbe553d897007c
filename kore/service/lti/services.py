"""The services of every LMS that Kore talks to, one set for each for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kore.service.lti.ags import Ags
from kore.service.lti.http import Http, Patience
from kore.service.lti.keys import KeyStore
from kore.service.lti.tokens import Tokens


class Platforms:
    """Clients for platforms, kept so that connections, tokens and limits are shared.

    ``limit`` bounds the requests under way at once to one issuer, whichever of its clients
    and however many jobs make them.
    """

    def __init__(self, keys: KeyStore, *, limit: int = 4, patience: Patience | None = None) -> None:
        self.limit = limit
        self._keys = keys
        self._patience = patience
        self._lock = threading.Lock()
        self._http: dict[str, Http] = {}
        self._tokens: dict[tuple[str, str, str], Tokens] = {}

    def ags(
        self,
        *,
        issuer: str,
        client_id: str,
        token_url: str,
        offered: Iterable[str] = (),
        stop: threading.Event | None = None,
    ) -> Ags:
        """Return the grade services of a platform. ``offered`` are the scopes of the launch."""
        with self._lock:
            http = self._http.get(issuer)
            if http is None:
                http = self._http[issuer] = Http(limit=self.limit, patience=self._patience)
            key = (issuer, client_id, token_url)
            tokens = self._tokens.get(key)
            if tokens is None:
                tokens = self._tokens[key] = Tokens(
                    http, self._keys, client_id=client_id, token_url=token_url
                )
        return Ags(http, tokens, offered=tuple(offered), stop=stop)
