"""HTTP to Kore: retries within a time budget, verified downloads, refusals as messages.

A request is repeated only where that is safe: reading, replacing, deleting, and submitting with
an ``Idempotency-Key``. Archives are streamed in both directions, never held in memory.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

Result = TypeVar("Result")

RETRY_SECONDS = 60.0
"""For what must not fail because Kore restarts."""
QUICK_RETRY_SECONDS = 3.0
"""For what a person waits for on a page."""

_CONNECT_SECONDS, _READ_SECONDS = 5.0, 120.0
_RETRY_STATUSES = frozenset({429, 502, 503, 504})
_MIN_PAUSE, _MAX_PAUSE = 0.5, 10.0
_MAX_ANSWER = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_JSON, _TAR = "application/json", "application/x-tar"


class RefusedError(Exception):
    """Kore refused a request, or could not be reached. The message is for the caller.

    ``code`` is Kore's stable error code; ``unreachable`` if there was no answer.
    """

    def __init__(self, message: str, code: str = "unreachable") -> None:
        super().__init__(message)
        self.code = code


class Transport:
    """Requests to Kore with a hub token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # Neither a machine's web proxy nor a .netrc may change who calls whom.
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=4))
        self._session.headers.update({"Authorization": f"token {token}", "Accept": _JSON})

    def get_json(
        self, path: str, *, params: Mapping[str, str] | None = None, retry_seconds: float
    ) -> Any:
        """Return the JSON at a path. Raises RefusedError."""
        return _parse_json(self._request("GET", path, params=params, retry_seconds=retry_seconds))

    def upload(
        self, method: str, path: str, archive: Path, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send an archive; return the answer's JSON. Raises RefusedError."""
        return _parse_json(
            self._request(
                method,
                path,
                archive=archive,
                headers={"Content-Type": _TAR, **(headers or {})},
            )
        )

    def download(self, path: str, sha256: str, consume: Callable[[IO[bytes]], Result]) -> Result:
        """Pass an archive to ``consume``, which may be called again; return its result.

        Raises RefusedError.
        """
        budget = _RetryBudget(RETRY_SECONDS)
        while True:
            response = self._request("GET", path, headers={"Accept": _TAR})
            with response:
                stream = _VerifiedStream(response)
                try:
                    result = consume(stream)  # type: ignore[arg-type]
                    stream.finish(sha256)
                except _BrokenError as error:
                    if not budget.wait():
                        raise RefusedError(
                            f"The download from Kore is incomplete ({error}). Try again."
                        ) from error
                else:
                    return result

    def delete(self, path: str) -> None:
        """Delete what is at a path. Raises RefusedError."""
        self._request("DELETE", path).close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        retry_seconds: float = RETRY_SECONDS,
        archive: Path | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        budget = _RetryBudget(retry_seconds)
        while True:
            try:
                response = self._send(method, path, archive, headers, params)
            except requests.RequestException as error:
                if budget.wait():
                    continue
                raise RefusedError(
                    f"Cannot reach Kore ({_reason(error)}). Try again in a moment."
                ) from error
            if response.status_code < 300:  # noqa: PLR2004
                return response
            with response:
                refusal = _refusal(response)
                if response.status_code not in _RETRY_STATUSES or not budget.wait(
                    _retry_after(response)
                ):
                    raise refusal

    def _send(
        self,
        method: str,
        path: str,
        archive: Path | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> requests.Response:
        def send(body: IO[bytes] | None) -> requests.Response:
            return self._session.request(
                method,
                self._url + path,
                data=body,
                headers=headers,
                params=params,
                stream=True,
                allow_redirects=False,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            )

        if archive is None:
            return send(None)
        with archive.open("rb") as body:
            return send(body)


class _BrokenError(Exception):
    """A download ended early, or its checksum is wrong."""


class _VerifiedStream:
    """A response's body as a file for reading, with its checksum."""

    def __init__(self, response: requests.Response) -> None:
        self._chunks = iter(response.raw.stream(_CHUNK, decode_content=False))
        self._rest = b""
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer than ``size`` only at the end."""
        parts, missing = [self._rest[:size]], size - len(self._rest[:size])
        self._rest = self._rest[size:]
        while missing > 0:
            chunk = self._next()
            if not chunk:
                break
            parts.append(chunk[:missing])
            self._rest, missing = chunk[missing:], missing - len(chunk[:missing])
        return b"".join(parts)

    def finish(self, sha256: str) -> None:
        """Read to the end; raise _BrokenError unless the checksum is right."""
        while self._next():
            pass
        if self._digest.hexdigest() != sha256:
            raise _BrokenError("the checksum is wrong")

    def _next(self) -> bytes:
        try:
            chunk = next(self._chunks, b"")
        except Exception as error:  # urllib3's and the socket's, of many kinds
            raise _BrokenError("the connection broke") from error
        self._digest.update(chunk)
        return chunk


class _RetryBudget:
    """Growing pauses with jitter, within a total time in seconds."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._next = _MIN_PAUSE

    def wait(self, at_least: float = 0.0) -> bool:
        """Pause before a retry; return False at once if there is no time for one."""
        seconds = max(at_least, self._next * random.uniform(0.5, 1.0))  # noqa: S311
        if time.monotonic() + seconds > self._deadline:
            return False
        self._next = min(self._next * 2, _MAX_PAUSE)
        time.sleep(seconds)
        return True


def _parse_json(response: requests.Response) -> Any:
    with response:
        try:
            body = response.raw.read(_MAX_ANSWER + 1, decode_content=True)
            if len(body) > _MAX_ANSWER:
                raise RefusedError("Kore's answer is too large.")
            return json.loads(body) if body else None
        except (requests.RequestException, OSError, ValueError) as error:
            raise RefusedError("Cannot read Kore's answer. Try again.") from error


def _refusal(response: requests.Response) -> RefusedError:
    try:
        error = json.loads(response.raw.read(_CHUNK, decode_content=True))["error"]
        message = " ".join(filter(None, [error["message"], error.get("hint", "")]))
        return RefusedError(message, str(error["code"]))
    except Exception:  # noqa: BLE001  a proxy may answer anything instead of Kore
        return RefusedError(
            f"Kore answered {response.status_code} {response.reason}.", "no_message"
        )


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "it took too long"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
