"""Caches the platforms' public keys.

Key sets are fetched in a thread of their own, so that a slow LMS delays nobody else; launches that
need the same key set at the same time share one request. An unknown key causes a new request, at
most every few seconds. If a refresh fails, the cached keys stay valid: an LMS that restarts does
not lock people out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from kore.hub.reasons import Reason
from kore.hub.refusals import Refusal, quote_untrusted

FRESH_SECONDS = 600.0
"""A younger key set is used as it is; an older one is refreshed in the background."""
STALE_SECONDS = 24 * 3600.0
"""An older key set is refreshed before it is used."""
RETRY_SECONDS = 10.0
FETCH_SECONDS = 10.0
_READ_SECONDS = 5.0
_MAX_BYTES = 512 * 1024
_MAX_KEYS = 100
_MIN_BITS = 2048


class KeysUnreachableError(Exception):
    """A key set could not be fetched. The message is one line for the log."""


def fetch_key_set(url: str) -> bytes:
    """Return the body at an http(s) URL, limited in time and size. Blocks: call it in a thread."""
    deadline = time.monotonic() + FETCH_SECONDS
    body = bytearray()
    try:
        with requests.get(
            url,
            headers={"Accept": "application/json"},
            timeout=_READ_SECONDS,
            stream=True,
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise KeysUnreachableError(f"status {answer.status_code}")
            while part := answer.raw.read1(65536, decode_content=True):
                body += part
                if len(body) > _MAX_BYTES:
                    raise KeysUnreachableError(f"more than {_MAX_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise KeysUnreachableError(f"took longer than {FETCH_SECONDS:.0f} s")
    except requests.RequestException as error:
        raise KeysUnreachableError(type(error).__name__) from error
    except OSError as error:
        raise KeysUnreachableError(type(error).__name__) from error
    return bytes(body)


def parse_keys(body: bytes) -> dict[str | None, RSAPublicKey]:
    """Return the keys of a key set (RFC 7517) for RS256 signatures, by kid.

    Omits keys of other types and keys that cannot be read. Raises ``KeysUnreachableError`` if
    the body is not a key set.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise KeysUnreachableError("the answer is not JSON") from error
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise KeysUnreachableError("the answer is not a key set")
    keys: dict[str | None, RSAPublicKey] = {}
    for entry in listed[:_MAX_KEYS]:
        key = _parse_key(entry)
        if key is not None:
            kid = entry.get("kid")
            keys[kid if isinstance(kid, str) else None] = key
    return keys


def _parse_key(entry: Any) -> RSAPublicKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": entry.get("n"), "e": entry.get("e")})
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_BITS else None


@dataclass
class _KeySet:
    keys: dict[str | None, RSAPublicKey] = field(default_factory=dict)
    fetched_at: float | None = None
    tried_at: float | None = None
    failure: str = ""
    refresh_task: asyncio.Task[None] | None = None

    def find(self, kid: str | None) -> RSAPublicKey | None:
        if kid is None and len(self.keys) == 1:
            # A platform with a single key may omit its id (RFC 7515, 4.1.4).
            return next(iter(self.keys.values()))
        return self.keys.get(kid)


class KeySets:
    """Key sets by URL. Use it on one event loop only; ``clock`` counts seconds."""

    def __init__(
        self,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        fetch: Callable[[str], bytes] = fetch_key_set,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._fetch = fetch
        self._clock = clock
        self._sets: dict[str, _KeySet] = {}

    async def get_key(self, url: str, kid: str | None) -> RSAPublicKey:
        """Return a platform's key. Raises ``Refusal`` if there is none."""
        known = self._sets.setdefault(url, _KeySet())
        if known.fetched_at is None:
            await self._fetch_first(url, known)
        else:
            age = self._clock() - known.fetched_at
            if age > FRESH_SECONDS and self._may_try(known):
                task = self._start_refresh(url, known)
                if age > STALE_SECONDS:
                    await asyncio.shield(task)
        key = known.find(kid)
        if key is None and (known.refresh_task is not None or self._may_try(known)):
            await asyncio.shield(self._start_refresh(url, known))
            key = known.find(kid)
        if key is None:
            raise Refusal(
                Reason.UNKNOWN_KEY,
                f"key {quote_untrusted(kid)} is not one of the {len(known.keys)} that the LMS "
                "publishes"
                + (f" (and refreshing them failed: {known.failure})" if known.failure else ""),
            )
        return key

    async def _fetch_first(self, url: str, known: _KeySet) -> None:
        if known.refresh_task is not None or self._may_try(known):
            await asyncio.shield(self._start_refresh(url, known))
        if known.fetched_at is None:
            raise Refusal(
                Reason.KEYS_UNREACHABLE,
                f"cannot fetch the key set at {quote_untrusted(url, 200)}: {known.failure}",
            )

    def _may_try(self, known: _KeySet) -> bool:
        return known.tried_at is None or self._clock() - known.tried_at >= RETRY_SECONDS

    def _start_refresh(self, url: str, known: _KeySet) -> asyncio.Task[None]:
        if known.refresh_task is None:
            known.refresh_task = asyncio.create_task(self._refresh(url, known))
        return known.refresh_task

    async def _refresh(self, url: str, known: _KeySet) -> None:
        """Fetch once. Never raises: the result is in ``known``."""
        try:
            body = await asyncio.wait_for(
                _run_in_thread(self._fetch, url), FETCH_SECONDS + _READ_SECONDS
            )
            known.keys = parse_keys(body)
            known.fetched_at = self._clock()
            known.failure = ""
        except (KeysUnreachableError, TimeoutError) as error:
            known.failure = str(error) or "no answer in time"
            if known.fetched_at is not None:
                self._log.warning(
                    "Cannot refresh the key set at %s (%s): the cached keys stay in use",
                    quote_untrusted(url, 200),
                    known.failure,
                )
        finally:
            known.tried_at = self._clock()
            known.refresh_task = None


async def _run_in_thread(function: Callable[[str], bytes], argument: str) -> bytes:
    """Run a blocking function in a daemon thread, which does not delay the end of the hub."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[bytes] = loop.create_future()

    def settle(result: bytes | None, error: Exception | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result or b"")

    def work() -> None:
        result, failure = None, None
        try:
            result = function(argument)
        except KeysUnreachableError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever it is, someone waits for the result
            failure = KeysUnreachableError(f"{type(error).__name__}: {quote_untrusted(str(error))}")
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            # The loop has ended meanwhile, and nobody waits any more.
            return

    threading.Thread(target=work, name="key-set", daemon=True).start()
    return await outcome
