"""A hub in memory, with the answers of ``hubapi.HubApi``, for tests of what calls it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from kore.service.hubapi import ServerState


class FakeHub:
    """Users, groups, shares and servers. ``before_call`` may raise, as a kill would."""

    def __init__(self, users: Iterable[str] = (), admins: Iterable[str] = ()) -> None:
        self.users: set[str] = {*users, *admins}
        self.admins = set(admins)
        self.groups: dict[str, set[str]] = {}
        self.shares: dict[str, set[str]] = {}
        self.servers: dict[str, ServerState] = {}
        self.calls: list[str] = []
        self.before_call: Callable[[str], None] = lambda _name: None
        self._lock = threading.RLock()

    def _called(self, name: str) -> None:
        self.before_call(name)
        self.calls.append(name)

    def create_user(self, name: str) -> None:
        with self._lock:
            self._called("create_user")
            self.users.add(name)

    def delete_user(self, name: str) -> None:
        with self._lock:
            self._called("delete_user")
            assert name not in self.servers
            self.users.discard(name)
            self.shares.pop(name, None)
            for members in self.groups.values():
                members.discard(name)

    def delete_group(self, name: str) -> None:
        with self._lock:
            self._called("delete_group")
            self.groups.pop(name, None)

    def create_group(self, name: str) -> None:
        with self._lock:
            self._called("create_group")
            self.groups.setdefault(name, set())

    def add_to_group(self, group: str, users: Iterable[str]) -> list[str]:
        with self._lock:
            self._called("add_to_group")
            unknown = [user for user in users if user not in self.users]
            self.groups[group].update(set(users) & self.users)
            return unknown

    def group_members(self, group: str) -> list[str]:
        with self._lock:
            self._called("group_members")
            return sorted(self.groups.get(group, ()))

    def remove_from_group(self, group: str, users: Iterable[str]) -> None:
        with self._lock:
            self._called("remove_from_group")
            self.groups.get(group, set()).difference_update(users)

    def share_server(self, owner: str, user: str) -> None:
        with self._lock:
            self._called("share_server")
            assert {owner, user} <= self.users
            self.shares.setdefault(owner, set()).add(user)

    def revoke_share(self, owner: str, user: str) -> None:
        with self._lock:
            self._called("revoke_share")
            self.shares.get(owner, set()).discard(user)

    def user(self, name: str) -> dict[str, Any] | None:
        with self._lock:
            self._called("user")
            if name not in self.users:
                return None
            return {"name": name, "admin": name in self.admins}

    def server_state(self, name: str) -> ServerState:
        with self._lock:
            self._called("server_state")
            return self.servers.get(name, ServerState.STOPPED)

    def running_servers(self, prefix: str) -> set[str]:
        with self._lock:
            self._called("running_servers")
            return {
                name
                for name, state in self.servers.items()
                if name.startswith(prefix) and state is ServerState.RUNNING
            }

    def start_server(self, name: str) -> ServerState:
        with self._lock:
            self._called("start_server")
            return self.servers.setdefault(name, ServerState.STARTING)

    def stop_server(self, name: str) -> None:
        with self._lock:
            self._called("stop_server")
            self.servers.pop(name, None)
