"""The address in a course's server at which Kore has submissions autograded.

``POST kore/autograde`` with a ticket from Kore runs ``batch`` and answers with its events as they
come, one JSON object a line, with an empty object every few seconds as a sign of life. The
program ends when the caller disconnects. Only one runs at a time.

Kore cannot prove to this server who it is: teachers could read any secret that it sent. So the
server asks Kore, with its own token, what the ticket is for, and refuses any other ticket. Anyone
can send what looks like a ticket: only a few are looked up at a time, in threads of their own, so
that neither JupyterLab nor Kore is kept busy.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import requests
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from kore.shared import endpoints

_HEARTBEAT_SECONDS = 3.0
_STOP_SECONDS = 15.0
_LOCK_SECONDS = 30.0
_MAX_LINE = 2**20
_LOOKUP_THREADS, _MAX_WAITING = 2, 256
_TICKET = re.compile(r"[0-9a-f]{64}")
_HEARTBEAT = b"{}\n"


class TicketLookup:
    """Asks Kore what tickets are for, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, "tickets")
        self._waiting = 0

    async def claim(self, body: Any) -> dict[str, Any]:
        """Return what to grade for the ticket in a request's body.

        Raises HTTPError 403 for a ticket that Kore does not know, 503 if too many are waiting.
        """
        ticket = body.get("ticket") if isinstance(body, dict) else None
        if not isinstance(ticket, str) or not _TICKET.fullmatch(ticket):
            raise HTTPError(403, "Only Kore can start autograding here.")
        if self._waiting >= _MAX_WAITING:
            raise HTTPError(503, "Too many requests are waiting. Try again in a moment.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, _claim, ticket)
        finally:
            self._waiting -= 1


class AutogradeHandler(APIHandler):  # type: ignore[misc]
    """Grades, and streams events to the caller."""

    def initialize(self, tickets: TicketLookup, lock: asyncio.Lock) -> None:
        """Keep the ticket lookup, and the lock that lets one request grade at a time."""
        self._tickets = tickets
        self._lock = lock

    def check_xsrf_cookie(self) -> None:
        """Need no CSRF token: cookies give no access here."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Grade what Kore names; ``kore.singleuser.autograding.batch`` has both formats."""
        # Before the lock: a caller that only pretends to be Kore must not block Kore.
        request = await self._tickets.claim(self.get_json_body())
        try:
            # The program of a Kore that was killed may not have ended yet.
            await asyncio.wait_for(self._lock.acquire(), _LOCK_SECONDS)
        except TimeoutError as error:
            message = "Submissions of this course are already being graded."
            raise HTTPError(409, message) from error
        try:
            await self._run(json.dumps(request).encode())
        finally:
            self._lock.release()

    async def _run(self, request: bytes) -> None:
        self.set_header("Content-Type", "application/x-ndjson")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kore.singleuser.autograding.batch"),
            stdin=PIPE,
            stdout=PIPE,
            cwd=self.settings["serverapp"].root_dir,
            limit=_MAX_LINE,
            start_new_session=True,
        )
        try:
            await self._grade(process, request)
        except StreamClosedError:
            self.log.info("Autograding ends: the caller disconnected")
        finally:
            await _stop(process)
            self._touch()

    async def _grade(self, process: Process, request: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request)
        process.stdin.write_eof()
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                line = _HEARTBEAT
            if not line:
                return
            self.write(line)
            await self.flush()
            self._touch()

    def _touch(self) -> None:
        """Mark the server as active: it would be culled as idle otherwise."""
        self.settings["api_last_activity"] = datetime.now(UTC)


def _claim(ticket: str) -> dict[str, Any]:
    url = f"{os.environ['KORE_URL']}/courses/{os.environ['KORE_COURSE_ID']}/autograde/claim"
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"token {os.environ['JUPYTERHUB_API_TOKEN']}"
        answer = session.post(url, json={"ticket": ticket}, timeout=30, allow_redirects=False)
    if not answer.ok:
        raise HTTPError(403, "Kore does not know this ticket.")
    return dict(answer.json())


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Return what Jupyter loads for the name of this module."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Load the extension; Jupyter calls it."""
    path = url_path_join(server.web_app.settings["base_url"], endpoints.AUTOGRADE)
    shared = {"tickets": TicketLookup(), "lock": asyncio.Lock()}
    server.web_app.add_handlers(".*$", [(path, AutogradeHandler, shared)])
