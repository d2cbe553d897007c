"""Runs an executor and a course's account, and sends notebooks to it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from kore.executor import protocol
from kore.host import LocalHost
from tests.support.waiting import wait_until

COURSE = "c-0123456789abcdef"
_SECONDS = 60
_PROGRAM = """
import json, sys
from traitlets.config import Config
import nbformat
from kore.singleuser.autograding.preprocessor import SandboxedExecute
request = json.load(sys.stdin)
execute = SandboxedExecute(config=Config({"Execute": request["settings"]}))
notebook = nbformat.from_dict(request["notebook"])
made, _ = execute(notebook, {"metadata": {"path": request["folder"]}})
print(json.dumps(made))
"""


@dataclass
class Executor:
    """A running executor, and a course that may use it."""

    name: str
    host: LocalHost
    process: subprocess.Popen[bytes]
    log: Path

    def run(
        self, notebook: Any, folder: Path, *, user: str = COURSE, **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        """Execute a notebook as a user's nbgrader does; ``stdout`` is the notebook."""
        command = [*self.host.enter_command(user, Path("/")), sys.executable, "-c", _PROGRAM]
        request = {"notebook": notebook, "folder": str(folder), "settings": settings}
        return subprocess.run(
            command,
            input=json.dumps(request),
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "KORE_"))},
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HOME": str(self.host.home(user)),
                "JUPYTERHUB_API_TOKEN": "the-token",
                protocol.SOCKET_VARIABLE: self.name,
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def outputs(self, cells: list[str], folder: Path, **settings: Any) -> list[str]:
        """Run cells; return what each printed, or the name of its error."""
        made = [nbformat.v4.new_code_cell(cell) for cell in cells]
        done = self.run(nbformat.v4.new_notebook(cells=made), folder, **settings)
        assert done.returncode == 0, done.stderr + self.log.read_text()
        return [_text(cell) for cell in json.loads(done.stdout)["cells"]]


def _text(cell: dict[str, Any]) -> str:
    return "".join(
        output["ename"] if output["output_type"] == "error" else output.get("text", "")
        for output in cell["outputs"]
    )


@contextmanager
def running_executor(state: Path) -> Iterator[Executor]:
    """Run the executor as a demo does; only root can."""
    host = LocalHost(
        homes=state / "homes", exchange=state / "exchange", accounts=state / "accounts"
    )
    host.prepare_course(COURSE)
    name, log = f"@ananke-test-{secrets.token_hex(8)}", state / "executor.log"
    command = [sys.executable, "-m", "kore.executor.server", name]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env={**os.environ, "KORE_ACCOUNTS": str(state / "accounts")},
            stdout=output,
            stderr=output,
            umask=0o077,
        ) as process,
    ):
        try:
            _wait(name)
            yield Executor(name, host, process, log)
        finally:
            process.kill()


def _wait(name: str) -> None:
    def listens() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(protocol.socket_address(name)) == 0

    wait_until(listens, "the executor does not listen", seconds=_SECONDS)
