"""Starts single-user servers as plain processes: the demo's spawner.

The host decides as which accounts they run. Servers end with the hub, even if the hub is killed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Any as AnyTrait
from traitlets import Unicode

from kore.host import LocalHost, processes

_PRIVATE_UMASK = 0o077


class LocalServer(SimpleLocalProcessSpawner):  # type: ignore[misc]
    """A server whose home is ``homes``/<user> and whose output goes to ``logs``."""

    homes = Unicode(config=True, help="Folder of the users' homes.")
    logs = Unicode(config=True, help="Folder for the servers' output.")
    host: LocalHost = AnyTrait(config=True, help="Decides which account a server runs as.")

    pid: int
    popen_kwargs: dict[str, Any]
    _identity = ""

    async def start(self) -> Any:
        """Start the server; return its address and port."""
        self.home_dir = str(Path(self.homes) / self.user.name)
        folder = Path(self.notebook_dir or self.home_dir)
        self.cmd = [*self.host.enter_command(self.user.name, folder), *self._program()]
        log = Path(self.logs) / f"server-{self.user.name}.log"
        with log.open("ab") as output:
            self.popen_kwargs = {
                **self.popen_kwargs,
                "stdin": subprocess.DEVNULL,
                "stdout": output,
                "stderr": subprocess.STDOUT,
            }
            address = await super().start()
        self._identity = processes.identity(self.pid)
        return address

    def _program(self) -> list[str]:
        program: list[str] = self.config.Spawner.cmd
        return list(program)

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Return what the child process does before it becomes the server."""
        folder = Path(self.notebook_dir or self.home_dir)
        # A program that becomes another account changes to the folder as that account.
        start_folder = "/" if self.host.enter_command(name, folder) else folder
        hub = os.getpid()

        def prepare() -> None:
            processes.end_with_parent(hub)
            os.umask(_PRIVATE_UMASK)
            os.chdir(start_folder)

        return prepare

    def get_state(self) -> dict[str, Any]:
        """Return what identifies the process after a restart of the hub."""
        state: dict[str, Any] = super().get_state()
        if self.pid:
            state["identity"] = self._identity
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Find the process again, unless another one has its number by now."""
        super().load_state(state)
        self._identity = state.get("identity", "")
        if self.pid and processes.identity(self.pid) != self._identity:
            self.pid = 0
