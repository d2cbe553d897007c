"""Telling Kore about launches, behind the login's back.

A login puts its launch into a bounded queue and goes on. A few senders deliver from it and
have patience while Kore restarts. What cannot be delivered costs one line in the log: the
next launch brings the same news.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from kore.hub.platforms import Platform
from kore.hub.refusals import shown

PATIENCE = 600.0
_SENDERS = 4
_QUEUE = 2000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
# A launch is at most a token (64 KiB), and the answer a few words.
_MAX_ANSWER = 64 * 1024
# What Kore says no to for good. Any other status may pass: it starts, or is configured anew.
_FINAL = frozenset({400, 405, 409, 413, 415, 422})


@dataclass(frozen=True)
class _News:
    user: str
    body: bytes
    ends: float


class LaunchAnnouncer:
    """Delivers launches to the URL where Kore takes them. For the hub's event loop alone."""

    def __init__(
        self,
        url: str,
        token: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        self._log = log
        self._patience = patience
        self._clock = clock
        self._queue: asyncio.Queue[_News] = asyncio.Queue(_QUEUE)
        self._client = AsyncHTTPClient(
            force_instance=True, max_clients=_SENDERS, max_body_size=_MAX_ANSWER
        )
        self._senders = [asyncio.create_task(self._deliver()) for _ in range(_SENDERS)]

    def announce(
        self, user: str, created: datetime, claims: dict[str, Any], platform: Platform
    ) -> None:
        """Take a launch for delivery. Never waits and never fails.

        ``created`` is when the hub made the user, in UTC without a zone, as the hub keeps it.
        """
        body = json.dumps(
            {
                "user": user,
                "user_created_at": created.replace(tzinfo=UTC).isoformat(),
                "client_id": platform.client_id,
                "claims": claims,
                "platform": {
                    "issuer": platform.issuer,
                    "client_id": platform.client_id,
                    "token_url": platform.token_url,
                },
            }
        ).encode()
        try:
            self._queue.put_nowait(_News(user, body, self._clock() + self._patience))
        except asyncio.QueueFull:
            self._log.error(
                "Kore is not told of the launch by %s: %d are waiting already", user, _QUEUE
            )

    async def close(self) -> None:
        """Stop delivering. What waits is dropped."""
        for sender in self._senders:
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        self._client.close()

    async def _deliver(self) -> None:
        while True:
            news = await self._queue.get()
            try:
                await self._deliver_one(news)
            except Exception:  # noqa: BLE001
                # A sender that died would be missed by nobody until all are gone.
                self._log.exception("Kore is not told of the launch by %s", news.user)

    async def _deliver_one(self, news: _News) -> None:
        pause = _FIRST_PAUSE
        while True:
            failure, final = await self._try(news)
            if not failure:
                return
            left = news.ends - self._clock()
            if final or left <= 0:
                self._log.error("Kore is not told of the launch by %s: %s", news.user, failure)
                return
            # Spread, so that not every sender knocks at a restarting Kore at once.
            await asyncio.sleep(min(pause * random.uniform(0.5, 1), max(left, 0)))  # noqa: S311
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _try(self, news: _News) -> tuple[str, bool]:
        """Return what went wrong ("" for nothing), and whether it stays so."""
        request = HTTPRequest(
            self._url,
            method="POST",
            headers=self._headers,
            body=news.body,
            follow_redirects=False,
            connect_timeout=5,
            request_timeout=15,
        )
        try:
            await self._client.fetch(request)
        except HTTPClientError as error:
            words = (error.response.body if error.response else b"") or b""
            said = f": {shown(words.decode('utf-8', 'replace'), 200)}" if words else ""
            return f"it answers {error.code}{said}", error.code in _FINAL
        except (OSError, ValueError) as error:
            return f"it cannot be reached ({type(error).__name__})", False
        return "", False
