"""The public keys of the platforms, kept for a while.

Fetched in a thread of its own, so a slow LMS holds up nobody else; launches that need the
same key set at the same time share one fetch. A key that is not known yet causes a new
fetch, but not more often than every few seconds. When a refresh fails, the keys at hand
stay good: an LMS that restarts does not lock people out.
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

from kore.hub.refusals import Reason, Refusal, shown

# Seconds. FRESH: no questions asked. After that keys are used and renewed beside it; a set
# older than STALE is renewed first.
FRESH = 600.0
STALE = 24 * 3600.0
RETRY_AFTER = 10.0
FETCH_LIMIT = 10.0
_READ_LIMIT = 5.0
_MAX_SIZE = 512 * 1024
_MAX_KEYS = 100
_MIN_BITS = 2048


class KeysUnreachableError(Exception):
    """The key set could not be fetched. The message is one line for the log."""


def fetch(url: str) -> bytes:
    """Return the body at an http(s) URL, bounded in time and size. Blocks: for a thread."""
    ends = time.monotonic() + FETCH_LIMIT
    body = bytearray()
    try:
        with requests.get(
            url,
            headers={"Accept": "application/json"},
            timeout=_READ_LIMIT,
            stream=True,
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise KeysUnreachableError(f"status {answer.status_code}")
            while part := answer.raw.read1(65536, decode_content=True):
                body += part
                if len(body) > _MAX_SIZE:
                    raise KeysUnreachableError(f"more than {_MAX_SIZE} bytes")
                if time.monotonic() > ends:
                    raise KeysUnreachableError(f"took longer than {FETCH_LIMIT:.0f} s")
    except requests.RequestException as error:
        raise KeysUnreachableError(type(error).__name__) from error
    except OSError as error:
        raise KeysUnreachableError(type(error).__name__) from error
    return bytes(body)


def read_keys(body: bytes) -> dict[str | None, RSAPublicKey]:
    """Return the keys of a key set (RFC 7517) that may have made an RS256 signature, by kid.

    Keys of other kinds and keys that cannot be read are left out: they are not ours to use.
    Raises ``KeysUnreachableError`` where there is no key set at all.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise KeysUnreachableError("the answer is not JSON") from error
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise KeysUnreachableError("the answer is no key set")
    keys: dict[str | None, RSAPublicKey] = {}
    for entry in listed[:_MAX_KEYS]:
        key = _read_key(entry)
        if key is not None:
            kid = entry.get("kid")
            keys[kid if isinstance(kid, str) else None] = key
    return keys


def _read_key(entry: Any) -> RSAPublicKey | None:
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
    fetched: float | None = None
    tried: float | None = None
    failure: str = ""
    fetching: asyncio.Task[None] | None = None

    def find(self, kid: str | None) -> RSAPublicKey | None:
        if kid is None and len(self.keys) == 1:
            # A platform with a single key may leave its name out (RFC 7515, 4.1.4).
            return next(iter(self.keys.values()))
        return self.keys.get(kid)


class KeySets:
    """Key sets by URL. To be used on one event loop; ``clock`` counts seconds."""

    def __init__(
        self,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        fetch: Callable[[str], bytes] = fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._fetch = fetch
        self._clock = clock
        self._sets: dict[str, _KeySet] = {}

    async def key(self, url: str, kid: str | None) -> RSAPublicKey:
        """Return a platform's key. Raises ``Refusal`` where there is none."""
        known = self._sets.setdefault(url, _KeySet())
        if known.fetched is None:
            await self._first(url, known)
        else:
            age = self._clock() - known.fetched
            if age > FRESH and self._may_try(known):
                task = self._start(url, known)
                if age > STALE:
                    await asyncio.shield(task)
        key = known.find(kid)
        if key is None and (known.fetching is not None or self._may_try(known)):
            await asyncio.shield(self._start(url, known))
            key = known.find(kid)
        if key is None:
            raise Refusal(
                Reason.UNKNOWN_KEY,
                f"key {shown(kid)} is not among the {len(known.keys)} that the LMS publishes"
                + (f" (and asking again failed: {known.failure})" if known.failure else ""),
            )
        return key

    async def _first(self, url: str, known: _KeySet) -> None:
        if known.fetching is not None or self._may_try(known):
            await asyncio.shield(self._start(url, known))
        if known.fetched is None:
            raise Refusal(
                Reason.KEYS_UNREACHABLE,
                f"the key set at {shown(url, 200)} cannot be fetched: {known.failure}",
            )

    def _may_try(self, known: _KeySet) -> bool:
        return known.tried is None or self._clock() - known.tried >= RETRY_AFTER

    def _start(self, url: str, known: _KeySet) -> asyncio.Task[None]:
        if known.fetching is None:
            known.fetching = asyncio.create_task(self._refresh(url, known))
        return known.fetching

    async def _refresh(self, url: str, known: _KeySet) -> None:
        """Fetch once. Never raises: the outcome is in ``known``."""
        try:
            body = await asyncio.wait_for(_in_thread(self._fetch, url), FETCH_LIMIT + _READ_LIMIT)
            known.keys = read_keys(body)
            known.fetched = self._clock()
            known.failure = ""
        except (KeysUnreachableError, TimeoutError) as error:
            known.failure = str(error) or "no answer in time"
            if known.fetched is not None:
                self._log.warning(
                    "The key set at %s cannot be refreshed (%s): its last keys stay in use",
                    shown(url, 200),
                    known.failure,
                )
        finally:
            known.tried = self._clock()
            known.fetching = None


async def _in_thread(function: Callable[[str], bytes], argument: str) -> bytes:
    """Run a blocking function in a daemon thread: it never holds up the end of the hub."""
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
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for it
            failure = KeysUnreachableError(f"{type(error).__name__}: {shown(str(error))}")
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            # The loop has ended meanwhile, and with it whoever waited.
            return

    threading.Thread(target=work, name="key-set", daemon=True).start()
    return await outcome
