"""The command ``ananke`` on a fake host: no Podman, no systemd, no waiting."""

from __future__ import annotations

import codecs
import http.server
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ananke.mounts import MOUNTS
from ananke.templates import make_definition, set_values

ROOT = Path(__file__).parents[2]
PROGRAMS = ("podman", "systemctl", "loginctl", "journalctl", "timedatectl", "getsebool", "quadlet")
LMS_CONFIG = """c = get_config()
base_url = "https://lms.example.org"
c.LTI13Authenticator.client_id = ["abc"]
c.LTI13Authenticator.issuer = base_url
c.LTI13Authenticator.authorize_url = f"{base_url}/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = f"{base_url}/mod/lti/certs.php"
c.LTI13Authenticator.access_token_url = f"{base_url}/mod/lti/token.php"
"""
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "c" * 64
# An ordinary user runs it, whoever runs the tests.
_CHILD = "import os; os.geteuid = lambda: 1000; from ananke.cli import main; main()"


@dataclass(frozen=True)
class AnankeResult:
    """The exit code of ``ananke``, and what it wrote."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self):
        return json.loads(self.out)


class FakeHost:
    """A folder with definitions, and a host whose programs are fakes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "host"
        self.root = folder / "ananke"
        self.config = folder / "config"
        self.bin = folder / "bin"
        for path in (self.folder, self.root / "containers", self.config, self.bin):
            path.mkdir(parents=True)
        for template in (ROOT / "containers").glob("template-*"):
            shutil.copytree(template, self.root / "containers" / template.name)
        program = Path(__file__).with_name("fake_programs.py")
        for name in PROGRAMS:
            made = self.bin / name
            made.write_text(f"#!{sys.executable}\n{program.read_text()}")
            made.chmod(0o755)
        self.state = {
            "version": "5.4.2",
            "images": {
                "localhost/ananke-base:latest": OLD,
                "localhost/ananke-nbgrader:latest": OLD,
            },
            "containers": {},
            "units": {},
            "never_start": [],
            "silent": [],
            "session": "running",
            "linger": "yes",
            "synchronised": "yes",
            "selinux_boolean": "on",
            "journal": "what the hub said",
            "unknown_units": [],
            "dangling": [],
            "usage": {"mem_usage": "147MB / 8GB", "cpu_percent": "1.5%", "pids": "42"},
            "mounts": {},
            "fails": {},
        }

    @property
    def state(self) -> dict:
        return json.loads((self.folder / "state.json").read_text())

    @state.setter
    def state(self, value: dict) -> None:
        (self.folder / "state.json").write_text(json.dumps(value))

    def change(self, **values) -> None:
        self.state = {**self.state, **values}

    def fail(self, beginning: str, message: str, code: int = 125) -> None:
        """Make command lines fail that begin with a regular expression."""
        self.change(fails={**self.state["fails"], beginning: [code, message]})

    @property
    def calls(self) -> list[list[str]]:
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def called(self, *beginning: str) -> list[list[str]]:
        """Return the calls that begin with these arguments."""
        return [call for call in self.calls if tuple(call[: len(beginning)]) == beginning]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "FAKE_HOST": str(self.folder),
            "XDG_CONFIG_HOME": str(self.config),
            "ANANKE_DIRECTORY": str(self.root),
            "ANANKE_QUADLET": str(self.bin / "quadlet"),
            "COLUMNS": "200",
            "TERM": "dumb",
        }

    def definition(self, name: str, port: int, *, template: str = "template-base") -> Path:
        """Make a definition with everything filled in; return its folder."""
        folder = self.root / "containers" / name
        make_definition(self.root / "containers" / template, folder)
        set_values(folder / "config.py", {"port": str(port)})
        (folder / "jupyterhub_config.d" / "30_lms.py").write_text(LMS_CONFIG)
        self.change(mounts={str(mount.target): str(folder / mount.source) for mount in MOUNTS})
        return folder

    def quadlet(self, name: str) -> Path:
        return self.config / "containers" / "systemd" / f"ananke-{name}.container"

    def answers(self, name: str) -> bool:
        """Whether the hub of a container would answer now."""
        container = self.state["containers"].get(name)
        return bool(
            container
            and container["running"]
            and self.state["units"].get(f"ananke-{name}.service") == "active"
            and container["Image"] not in self.state["silent"]
        )

    def terminal(self, *argv: str, answers: list[tuple[str, str]]) -> AnankeResult:
        """Run ``ananke`` on a terminal, and type each answer when its question has appeared."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, *argv],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.environment,
            cwd=self.root,
            start_new_session=True,
        )
        os.close(theirs)
        # A read can end in the middle of a character.
        decoder = codecs.getincrementaldecoder("utf-8")()
        shown, deadline, waiting, seen = "", time.monotonic() + 60, list(answers), 0
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    data = os.read(ours, 4096)
                except OSError:
                    break
                if not data:
                    break
                shown += decoder.decode(data)
            if waiting and waiting[0][0] in shown[seen:]:
                seen = len(shown)
                os.write(ours, (waiting.pop(0)[1] + "\n").encode())
        os.close(ours)
        code = child.wait(timeout=10)
        assert not waiting, f"never asked {waiting[0][0]!r}; shown was: {shown}"
        return AnankeResult(code, shown.replace("\r\n", "\n"))


@contextmanager
def hub_server(host: FakeHost, name: str, base_url: str = "/"):
    """Serve the fake hub's health check on a free port; yield the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            healthy = self.path == f"{base_url}hub/health" and host.answers(name)
            self.send_response(200 if healthy else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
