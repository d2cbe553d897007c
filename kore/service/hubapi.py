"""JupyterHub's REST API, as far as Kore needs it.

Each call that changes something may be repeated: what is already so is success.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from kore.service.errors import KoreError, Unavailable, UpstreamFailed

_TIMEOUT = (5, 30)
_PAGE = 200
_MAX_SAID = 200
# The hub may be restarting: retried for some ten seconds, as every call may be repeated.
_RETRIES = Retry(
    total=5,
    backoff_factor=0.4,
    status_forcelist=(502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
)


class ServerState(enum.StrEnum):
    """State of a user's default server."""

    STOPPED = "stopped"
    STARTING = "starting"
    STOPPING = "stopping"
    RUNNING = "running"


class HubApi:
    """The hub, under the service's own token. Safe to share between threads."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._local = threading.local()

    def create_user(self, name: str) -> None:
        """Create a hub user, if there is none of this name."""
        self._change("POST", f"/users/{_part(name)}", same=(409,))

    def delete_user(self, name: str) -> None:
        """Delete a hub user, with all shares and tokens; a server of theirs has to be stopped."""
        self._change("DELETE", f"/users/{_part(name)}", same=(404,))

    def delete_group(self, name: str) -> None:
        """Delete a group, if there is one of this name."""
        self._change("DELETE", f"/groups/{_part(name)}", same=(404,))

    def create_group(self, name: str) -> None:
        """Create a group, if there is none of this name."""
        self._change("POST", f"/groups/{_part(name)}", same=(409,))

    def add_to_group(self, group: str, users: Iterable[str]) -> list[str]:
        """Put users into a group. Return those whom the hub does not know, left out."""
        users = list(users)
        if not users:
            return []
        path = f"/groups/{_part(group)}/users"
        answer = self._call("POST", path, json={"users": users})
        if answer.ok:
            return []
        if answer.status_code not in {400, 404} or len(users) == 1:
            if answer.status_code == 400 and self.user(users[0]) is None:  # noqa: PLR2004
                return users
            raise _refusal("POST", path, answer)
        # One unknown user spoils the whole call: find out who.
        return [user for user in users if self.add_to_group(group, [user])]

    def group_members(self, group: str) -> list[str]:
        """Return the users in a group; none where there is no such group."""
        path = f"/groups/{_part(group)}"
        answer = self._call("GET", path)
        if answer.status_code == 404:  # noqa: PLR2004
            return []
        return [str(user) for user in _object(answer, path).get("users", [])]

    def remove_from_group(self, group: str, users: Iterable[str]) -> None:
        """Take users out of a group."""
        path = f"/groups/{_part(group)}/users"
        self._change("DELETE", path, json={"users": list(users)}, same=(404,))

    def share_server(self, owner: str, user: str) -> None:
        """Let a user start, enter and stop another's default server."""
        server = f"{owner}/"
        self._change(
            "POST",
            f"/shares/{_part(owner)}/",
            json={
                "user": user,
                "scopes": [f"access:servers!server={server}", f"servers!server={server}"],
            },
        )

    def revoke_share(self, owner: str, user: str) -> None:
        """Take a share back. A server that runs may let the user in for some minutes more."""
        self._change("PATCH", f"/shares/{_part(owner)}/", json={"user": user}, same=(404,))

    def user(self, name: str) -> dict[str, Any] | None:
        """Return the hub's model of a user, or None where there is none."""
        answer = self._call("GET", f"/users/{_part(name)}")
        if answer.status_code == 404:  # noqa: PLR2004
            return None
        return _object(answer, f"/users/{name}")

    def server_state(self, name: str) -> ServerState:
        """Return the state of a user's default server."""
        return _state(self.user(name) or {})

    def running_servers(self, prefix: str) -> set[str]:
        """Return the users, of those whose name begins so, whose default server runs."""
        running: set[str] = set()
        offset = 0
        while True:
            path = f"/users?state=ready&offset={offset}&limit={_PAGE}"
            answer = self._call("GET", path)
            page = answer.json() if answer.ok else None
            if not isinstance(page, list):
                raise _refusal("GET", path, answer)
            running.update(
                user["name"]
                for user in page
                if user["name"].startswith(prefix) and _state(user) is ServerState.RUNNING
            )
            if len(page) < _PAGE:
                return running
            offset += _PAGE

    def start_server(self, name: str) -> ServerState:
        """Start a user's default server; return how far it is. Does not wait."""
        path = f"/users/{_part(name)}/server"
        answer = self._call("POST", path)
        if answer.status_code == 201:  # noqa: PLR2004
            return ServerState.RUNNING
        if answer.status_code == 202:  # noqa: PLR2004
            return ServerState.STARTING
        if answer.status_code == 400:  # noqa: PLR2004
            state = self.server_state(name)
            if state is not ServerState.STOPPED:
                return state
        raise _refusal("POST", path, answer)

    def stop_server(self, name: str) -> None:
        """Stop a user's default server, if it runs."""
        self._change("DELETE", f"/users/{_part(name)}/server", same=(400, 404))

    def _change(
        self, method: str, path: str, *, json: Any = None, same: tuple[int, ...] = ()
    ) -> None:
        answer = self._call(method, path, json=json)
        if not answer.ok and answer.status_code not in same:
            raise _refusal(method, path, answer)

    def _call(self, method: str, path: str, *, json: Any = None) -> requests.Response:
        try:
            return self._session().request(method, self._url + path, json=json, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise Unavailable("hub_away") from error

    def _session(self) -> requests.Session:
        # requests does not promise that a session may be shared between threads.
        session = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers["Authorization"] = f"token {self._token}"
            session.mount("http://", HTTPAdapter(max_retries=_RETRIES))
            session.mount("https://", HTTPAdapter(max_retries=_RETRIES))
            self._local.session = session
        return session


def _part(name: str) -> str:
    return quote(name, safe="")


def _state(user: dict[str, Any]) -> ServerState:
    pending = user.get("pending")
    if pending == "stop":
        return ServerState.STOPPING
    if pending:
        return ServerState.STARTING
    return ServerState.RUNNING if user.get("server") else ServerState.STOPPED


def _object(answer: requests.Response, path: str) -> dict[str, Any]:
    body = answer.json() if answer.ok else None
    if not isinstance(body, dict):
        raise _refusal("GET", path, answer)
    return body


def _refusal(method: str, path: str, answer: requests.Response) -> KoreError:
    try:
        said = str(answer.json().get("message", ""))
    except (ValueError, AttributeError):
        said = ""
    call = f"{method} {path.split('?', maxsplit=1)[0]}"
    status = answer.status_code
    if said:
        return UpstreamFailed("hub_refused.said", call=call, status=status, said=said[:_MAX_SAID])
    return UpstreamFailed("hub_refused", call=call, status=status)
