"""Code run in a kernel of a single-user server, as a notebook runs it: over its WebSocket."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support.person import Server

_SECONDS = 90


def run(server: Server, code: str) -> str:
    """Start a kernel, run code in it, end it; return what it printed, errors too."""
    kernel = server.json("POST", "/api/kernels", json={"name": "python3"})["id"]
    try:
        return asyncio.run(asyncio.wait_for(_run(server, kernel, code), _SECONDS))
    finally:
        server.request("DELETE", f"/api/kernels/{kernel}")


async def _run(server: Server, kernel: str, code: str) -> str:
    url = f"{server.url}/api/kernels/{kernel}/channels"
    cookies = server.person.browser.cookies.get_dict(path=_path(server)) | {
        cookie.name: str(cookie.value)
        for cookie in server.person.browser.cookies
        if _path(server).startswith(cookie.path)
    }
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    socket = await websocket_connect(
        HTTPRequest(
            url.replace("http", "ws", 1),
            headers={"Cookie": header, "Origin": server.person.demo.hub},
        )
    )
    message = uuid.uuid4().hex
    await socket.write_message(json.dumps(_request(message, code)))
    printed = ""
    while True:
        received = await socket.read_message()
        assert received is not None, "the kernel's connection ended"
        answer: dict[str, Any] = json.loads(received)
        if answer["parent_header"].get("msg_id") != message:
            continue
        content = answer["content"]
        if answer["msg_type"] == "stream":
            printed += content["text"]
        elif answer["msg_type"] == "error":
            printed += "\n".join(content["traceback"])
        elif answer["msg_type"] == "status" and content["execution_state"] == "idle":
            socket.close()
            return printed


def _path(server: Server) -> str:
    return "/" + server.url.split("/", 3)[3] + "/"


def _request(message: str, code: str) -> dict[str, Any]:
    return {
        "header": {
            "msg_id": message,
            "username": "",
            "session": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": False, "allow_stdin": False},
        "channel": "shell",
    }
