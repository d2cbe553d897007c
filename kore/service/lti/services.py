"""The services of every LMS that Kore talks to, shared by the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from kore.service.lti.ags import Ags
from kore.service.lti.client import PlatformClient, RetryPolicy
from kore.service.lti.keys import KeyStore
from kore.service.lti.origins import TrustedOrigins
from kore.service.lti.tokens import Tokens


class Platforms:
    """Clients for platforms, kept so that connections, tokens and limits are shared.

    ``limit`` bounds the concurrent requests to one issuer, for all of its client ids and
    however many jobs send them.
    """

    def __init__(
        self, keys: KeyStore, *, limit: int = 4, policy: RetryPolicy | None = None
    ) -> None:
        self.limit = limit
        self._keys = keys
        self._policy = policy
        self._lock = threading.Lock()
        self._clients: dict[str, PlatformClient] = {}
        self._tokens: dict[tuple[str, str, str], Tokens] = {}

    def ags(
        self,
        *,
        issuer: str,
        client_id: str,
        token_url: str,
        service_hosts: Iterable[str] = (),
        offered: Iterable[str] = (),
        stop: threading.Event | None = None,
    ) -> Ags:
        """Return the grade services of a platform.

        ``service_hosts`` are its hosts besides those of issuer and token URL (see
        ``TrustedOrigins``), ``offered`` the scopes of the launch.
        """
        with self._lock:
            client = self._clients.get(issuer)
            if client is None:
                client = PlatformClient(limit=self.limit, policy=self._policy)
                self._clients[issuer] = client
            key = (issuer, client_id, token_url)
            tokens = self._tokens.get(key)
            if tokens is None:
                tokens = self._tokens[key] = Tokens(
                    client, self._keys, client_id=client_id, token_url=token_url
                )
        origins = TrustedOrigins(issuer, token_url, service_hosts)
        return Ags(client, tokens, origins=origins, offered=tuple(offered), stop=stop)
