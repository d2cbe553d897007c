"""Notifies Kore of launches, in the background.

A login puts its launch into a bounded queue and continues. A few senders deliver from the queue
and retry while Kore restarts. A launch that cannot be delivered costs one line in the log: the
next launch brings the same information.
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
from kore.hub.refusals import quote_untrusted

RETRY_SECONDS = 600.0
_SENDERS = 4
_MAX_QUEUED = 2000
_MIN_PAUSE, _MAX_PAUSE = 0.2, 5.0
# An answer is a short message.
_MAX_ANSWER = 64 * 1024
# Statuses for which a retry is useless. Any other may pass: Kore starts or is reconfigured.
_FINAL_STATUSES = frozenset({400, 405, 409, 413, 415, 422})


@dataclass(frozen=True)
class _Notification:
    user: str
    body: bytes
    deadline: float


def _service_hosts(platform: Platform) -> list[str]:
    configured = (platform.authorize_url, platform.jwks_url, platform.home_url)
    return [host for host in (*configured, *platform.service_hosts) if host]


class LaunchNotifier:
    """Delivers launches to Kore's URL for them. Use it on the hub's event loop only."""

    def __init__(
        self,
        url: str,
        token: str,
        log: logging.Logger | logging.LoggerAdapter[Any],
        *,
        retry_seconds: float = RETRY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        self._log = log
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._queue: asyncio.Queue[_Notification] = asyncio.Queue(_MAX_QUEUED)
        self._client = AsyncHTTPClient(
            force_instance=True, max_clients=_SENDERS, max_body_size=_MAX_ANSWER
        )
        self._senders = [asyncio.create_task(self._deliver()) for _ in range(_SENDERS)]

    def notify(
        self, user: str, created: datetime, claims: dict[str, Any], platform: Platform
    ) -> None:
        """Queue a launch for delivery. Never waits and never fails.

        ``created`` is when the hub created the user, in UTC without a zone, as the hub has it.
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
                    "service_hosts": _service_hosts(platform),
                },
            }
        ).encode()
        try:
            self._queue.put_nowait(_Notification(user, body, self._clock() + self._retry_seconds))
        except asyncio.QueueFull:
            self._log.error(
                "Could not notify Kore of the launch by %s: %d are waiting already",
                user,
                _MAX_QUEUED,
            )

    async def close(self) -> None:
        """Stop delivering, and drop what is queued."""
        for sender in self._senders:
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        self._client.close()

    async def _deliver(self) -> None:
        while True:
            notification = await self._queue.get()
            try:
                await self._deliver_one(notification)
            except Exception:  # noqa: BLE001
                # Nobody would notice that a sender died until all of them had.
                self._log.exception("Could not notify Kore of the launch by %s", notification.user)

    async def _deliver_one(self, notification: _Notification) -> None:
        pause = _MIN_PAUSE
        while True:
            failure, final = await self._try(notification)
            if not failure:
                return
            left = notification.deadline - self._clock()
            if final or left <= 0:
                self._log.error(
                    "Could not notify Kore of the launch by %s: %s", notification.user, failure
                )
                return
            # With jitter, so that the senders do not reach a restarting Kore at the same moment.
            await asyncio.sleep(min(pause * random.uniform(0.5, 1), max(left, 0)))  # noqa: S311
            pause = min(pause * 2, _MAX_PAUSE)

    async def _try(self, notification: _Notification) -> tuple[str, bool]:
        """Return what went wrong ("" if nothing), and whether a retry is useless."""
        request = HTTPRequest(
            self._url,
            method="POST",
            headers=self._headers,
            body=notification.body,
            follow_redirects=False,
            connect_timeout=5,
            request_timeout=15,
        )
        try:
            await self._client.fetch(request)
        except HTTPClientError as error:
            body = (error.response.body if error.response else b"") or b""
            message = f": {quote_untrusted(body.decode('utf-8', 'replace'), 200)}" if body else ""
            return f"it answered {error.code}{message}", error.code in _FINAL_STATUSES
        except (OSError, ValueError) as error:
            return f"cannot reach it ({type(error).__name__})", False
        return "", False
