"""Runs code in a kernel of a person's server, as a notebook does: over its WebSocket."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import websocket

from tests.support.web_user import Server

_TIMEOUT_SECONDS = 60


class Kernel:
    """A kernel on a server that the person may use."""

    def __init__(self, server: Server) -> None:
        self._server = server
        kernel = server.json("POST", "/api/kernels", json={"name": "python3"})
        session = uuid.uuid4().hex
        self._session = session
        self._path = f"/api/kernels/{kernel['id']}"

    def _connect(self) -> websocket.WebSocket:
        """Open the kernel's channels for one run: idle ones would be closed."""
        parts = urlsplit(self._server.url)
        cookies = "; ".join(
            f"{c.name}={c.value}"
            for c in self._server.person.browser.cookies
            if f"{parts.path}/".startswith(c.path)
        )
        scheme = {"http": "ws", "https": "wss"}[parts.scheme]
        verify = self._server.person.browser.verify
        return websocket.create_connection(
            f"{scheme}://{parts.netloc}{parts.path}{self._path}/channels?session_id={self._session}",
            cookie=cookies,
            origin=f"{parts.scheme}://{parts.netloc}",
            timeout=_TIMEOUT_SECONDS,
            sslopt={"ca_certs": verify} if isinstance(verify, str) else None,
            http_no_proxy=["*"],
        )

    def run(self, code: str) -> str:
        """Run code; return what it printed. Fails if the code raises an error."""
        channels = self._connect()
        try:
            return self._run(channels, code)
        finally:
            channels.close()

    def _run(self, channels: websocket.WebSocket, code: str) -> str:
        number = uuid.uuid4().hex
        header = {
            "msg_id": number,
            "msg_type": "execute_request",
            "session": self._session,
            "username": "",
            "version": "5.3",
        }
        request = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        channels.send(
            json.dumps(
                {
                    "channel": "shell",
                    "header": header,
                    "parent_header": {},
                    "metadata": {},
                    "content": request,
                    "buffers": [],
                }
            )
        )
        printed: list[str] = []
        while True:
            message: dict[str, Any] = json.loads(channels.recv())
            if message.get("parent_header", {}).get("msg_id") != number:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed.append(content["text"])
            elif kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(printed)

    def close(self) -> None:
        """Shut the kernel down."""
        self._server.json("DELETE", self._path)


def run_once(server: Server, code: str) -> str:
    """Run code in a kernel of its own; return what it printed."""
    kernel = Kernel(server)
    try:
        return kernel.run(code)
    finally:
        kernel.close()
