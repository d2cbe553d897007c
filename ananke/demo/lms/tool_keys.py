"""The tool's public keys: fetched when needed, cached, fetched again for an unknown `kid`."""

from __future__ import annotations

import json
import os
import threading
from typing import Any

import jwt
import requests

MAX_KEYSET_BYTES = 256 * 1024
FETCH_SECONDS = 5.0
MAX_KEYS = 32


class KeysetUnreachableError(Exception):
    """The tool's key set could not be read."""


class ToolKeys:
    """The key set at one address (RFC 7517)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}

    def find(self, kid: str) -> jwt.PyJWK | None:
        """Return the cached key with this id, or None."""
        with self._lock:
            return self._keys.get(kid)

    def refresh(self) -> None:
        """Fetch the key set. The tool may be calling us meanwhile, so no lock is held."""
        try:
            with requests.Session() as session:
                # A web proxy must not see connections that stay on this machine.
                session.trust_env = False
                # The machine's own authorities are still trusted.
                session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
                with session.get(
                    self._url, timeout=FETCH_SECONDS, stream=True, allow_redirects=False
                ) as answer:
                    if answer.status_code != requests.codes.ok:
                        msg = f"{self._url} answered {answer.status_code}."
                        raise KeysetUnreachableError(msg)
                    raw = answer.raw.read(MAX_KEYSET_BYTES + 1, decode_content=True)
            keys = _parse(raw)
        except (requests.RequestException, OSError, ValueError) as error:
            msg = f"{self._url} returned no key set: {error}"
            raise KeysetUnreachableError(msg) from error
        with self._lock:
            self._keys = keys


def _parse(raw: bytes) -> dict[str, jwt.PyJWK]:
    if len(raw) > MAX_KEYSET_BYTES:
        msg = "it is too large"
        raise ValueError(msg)
    document: Any = json.loads(raw)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        msg = "it has no list of keys"
        raise ValueError(msg)
    keys = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            continue
        if entry.get("kty") != "RSA" or entry.get("alg", "RS256") != "RS256":
            continue
        try:
            keys[entry["kid"]] = jwt.PyJWK(entry, algorithm="RS256")
        except jwt.PyJWTError:
            continue
    return keys
