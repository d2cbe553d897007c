"""A course's own server, as Kore speaks to it, through the hub's proxy.

The server belongs to the course's account, and its teachers can read what reaches it: no
token is sent. A ticket says that there is work; which, the server asks Kore under its own
name. What it answers is checked as any stranger's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from kore.service.errors import Busy, UpstreamFailed

_CONNECT_SECONDS, _IDLE_SECONDS = 5.0, 60.0
_MAX_LINE_BYTES = 2**20
_MISSING, _BUSY = (404, 405), 409


class ServerLostError(Exception):
    """The server went away, or what it answers makes no sense; its text is for the log."""


@contextmanager
def answering(url: str, ticket: str) -> Iterator[Iterator[dict[str, Any]]]:
    """POST to a course's running server; yield the objects that it answers, line by line.

    Leaving the context ends the request, which tells the server to stop. Raises KoreError
    where the server refuses, ServerLostError where it does not answer or breaks off.
    """
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                url,
                json={"ticket": ticket},
                stream=True,
                allow_redirects=False,
                timeout=(_CONNECT_SECONDS, _IDLE_SECONDS),
            )
        except requests.RequestException as error:
            raise ServerLostError(str(error)) from error
        with response:
            _check(response)
            yield _objects(response)


def _check(response: requests.Response) -> None:
    if response.status_code == _BUSY:
        raise Busy("autograding_busy")
    if response.status_code in _MISSING:
        raise UpstreamFailed("server_outdated")
    if not response.ok or response.is_redirect:
        raise ServerLostError(f"the course's server answered {response.status_code}")


def _objects(response: requests.Response) -> Iterator[dict[str, Any]]:
    rest = b""
    try:
        for chunk in response.iter_content(chunk_size=None):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _MAX_LINE_BYTES:
                raise ServerLostError("a line of the answer does not end")
            for line in lines:
                yield _object(line)
    except requests.RequestException as error:
        raise ServerLostError(str(error)) from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ServerLostError("a line of the answer is not JSON") from error
    if not isinstance(value, dict):
        raise ServerLostError("a line of the answer is not an object")
    return value
