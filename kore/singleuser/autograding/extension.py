"""The address in a course's server at which Kore has submissions autograded.

``POST kore/autograde`` with a ticket of Kore's runs ``batch`` and answers with
its events as they come, one JSON object a line, and an empty object now and then: it is under
way. When the caller goes away the program is ended. One runs at a time.

Kore cannot prove to this server who it is: whatever it sent, teachers could read. So the server
asks Kore, under its own name, what the ticket is for; any other ticket is refused. Anybody may
send what looks like a ticket: few are asked about at a time, in threads of their own, so that
neither JupyterLab nor Kore is kept busy by it.
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
from typing import Any

import requests
from jupyter_server._tz import utcnow
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from kore.shared import endpoints

_BEAT_SECONDS = 3.0
_END_SECONDS = 15.0
_WAIT_SECONDS = 30.0
_MOST_LINE = 2**20
_ASKED_AT_ONCE, _MOST_WAITING = 2, 256
_TICKET = re.compile(r"[0-9a-f]{64}")
_ALIVE = b"{}\n"


class Tickets:
    """Asks Kore what tickets are for, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_ASKED_AT_ONCE, "tickets")
        self._waiting = 0

    async def claim(self, body: Any) -> dict[str, Any]:
        """Return what is to be graded for the ticket in a request's body.

        Raises HTTPError 403 for a ticket that Kore does not know, 503 where too many wait.
        """
        ticket = body.get("ticket") if isinstance(body, dict) else None
        if not isinstance(ticket, str) or not _TICKET.fullmatch(ticket):
            raise HTTPError(403, "Only Kore has submissions graded here.")
        if self._waiting >= _MOST_WAITING:
            raise HTTPError(503, "Too many tickets are waiting to be looked up.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, _claimed, ticket)
        finally:
            self._waiting -= 1


class AutogradeHandler(APIHandler):  # type: ignore[misc]
    """Grades while the caller listens."""

    def initialize(self, tickets: Tickets, lock: asyncio.Lock) -> None:
        """Take what looks tickets up, and what keeps two from grading at once."""
        self._tickets = tickets
        self._lock = lock

    def check_xsrf_cookie(self) -> None:
        """Ask for no proof: no cookie lets anybody in here."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Grade what Kore says; see ``kore.singleuser.autograding.batch`` for both forms."""
        # Before the lock: who only pretends to be Kore must not be in Kore's way.
        asked = await self._tickets.claim(self.get_json_body())
        try:
            # A program whose Kore was killed may be ending still.
            await asyncio.wait_for(self._lock.acquire(), _WAIT_SECONDS)
        except TimeoutError as error:
            words = "Submissions of this course are being graded already."
            raise HTTPError(409, words) from error
        try:
            await self._run(json.dumps(asked).encode())
        finally:
            self._lock.release()

    async def _run(self, asked: bytes) -> None:
        self.set_header("Content-Type", "application/x-ndjson")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kore.singleuser.autograding.batch"),
            stdin=PIPE,
            stdout=PIPE,
            cwd=self.settings["serverapp"].root_dir,
            limit=_MOST_LINE,
            start_new_session=True,
        )
        try:
            await self._grade(process, asked)
        except StreamClosedError:
            self.log.info("Whoever had submissions graded went away")
        finally:
            await _end(process)
            self._touch()

    async def _grade(self, process: Process, asked: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(asked)
        process.stdin.write_eof()
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), _BEAT_SECONDS)
            except TimeoutError:
                line = _ALIVE
            if not line:
                return
            self.write(line)
            await self.flush()
            self._touch()

    def _touch(self) -> None:
        """Say that the server is in use: it would be culled as idle."""
        self.settings["api_last_activity"] = utcnow()


def _claimed(ticket: str) -> dict[str, Any]:
    url = f"{os.environ['KORE_URL']}/courses/{os.environ['KORE_COURSE_ID']}/autograde/claim"
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"token {os.environ['JUPYTERHUB_API_TOKEN']}"
        answer = session.post(url, json={"ticket": ticket}, timeout=30, allow_redirects=False)
    if not answer.ok:
        raise HTTPError(403, "Kore does not know of this grading.")
    return dict(answer.json())


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Say what Jupyter loads for the name of this module."""
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Load the extension; Jupyter calls it."""
    path = url_path_join(server.web_app.settings["base_url"], endpoints.AUTOGRADE)
    kept = {"tickets": Tickets(), "lock": asyncio.Lock()}
    server.web_app.add_handlers(".*$", [(path, AutogradeHandler, kept)])
