"""A university's machine as a container: Debian 13 with an ordinary user who owns hubs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.container import Box, podman

USER = "hubs"
HOME = Path("/home") / USER
LMS_NAME, HUB_NAME = "lms.linden.test", "jupyter.uni.test"
OUTSIDE, INSIDE = "10.77.0.1", "10.77.0.2"
"""The two ends of the one cable between the machine and everyone else."""

_NAME = "ananke-test-host"
_BOOT_SECONDS = 90
_LONG_SECONDS = 420
_PAGE = Path(__file__).parents[2] / "doc/src/host-admins/index.md"


class TargetHost:
    """The machine: what ``host-admins`` says was done, and nothing more.

    ``folder`` is kept outside: ``home`` is its /home, ``srv`` what is brought to it.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.brought = folder / "srv"
        self._uid = ""

    def start(self) -> None:
        """Boot, plug in the cable, and make the account."""
        self.remove()
        self.home.mkdir(parents=True)
        self.brought.mkdir(parents=True, exist_ok=True)
        podman(
            *("run", "--detach", "--name", _NAME, "--privileged", "--network=none"),
            *("--systemd=always", f"--volume={self.home}:/home"),
            *(f"--volume={self.brought}:/srv/brought:ro", "localhost/ananke-test-host"),
        )
        self._plug_in()
        deadline, beat = time.monotonic() + _BOOT_SECONDS, threading.Event()
        while (said := self.root("systemctl", "is-system-running", check=False)) not in {
            "running",
            "degraded",
        }:
            assert time.monotonic() < deadline, f"the target host does not boot: {said}"
            beat.wait(0.3)
        # Devices that every user has on a machine of its own.
        self.root("chmod", "666", "/dev/net/tun", "/dev/fuse")
        self.shell(f"grep -q {LMS_NAME} /etc/hosts || echo {OUTSIDE} {LMS_NAME} >>/etc/hosts")
        self.root("useradd", "--create-home", "--shell=/bin/bash", USER)
        self.root("loginctl", "enable-linger", USER)
        self._uid = self.root("id", "-u", USER)
        while self.shell(f"test -S /run/user/{self._uid}/bus && echo yes || true") != "yes":
            assert time.monotonic() < deadline, "the account gets no session"
            beat.wait(0.3)

    def _plug_in(self) -> None:
        pid = podman("container", "inspect", "--format", "{{.State.Pid}}", _NAME).strip()
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip"]
        for argv in (
            ["ip", "link", "add", "lms0", "type", "veth", "peer", "name", "eth0", "netns", pid],
            ["ip", "address", "add", f"{OUTSIDE}/24", "dev", "lms0"],
            ["ip", "link", "set", "lms0", "up"],
            [*inside, "address", "add", f"{INSIDE}/24", "dev", "eth0"],
            [*inside, "link", "set", "eth0", "up"],
            [*inside, "route", "add", "default", "via", OUTSIDE],
        ):
            subprocess.run(argv, check=True, timeout=30)

    def remove(self) -> None:
        """End it, and whatever it kept."""
        podman("rm", "--force", "--ignore", "--time", "0", _NAME, check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def root(self, *argv: str, check: bool = True) -> str:
        """Run a command as root; return its output."""
        return podman("exec", _NAME, *argv, check=check).strip()

    def shell(self, script: str) -> str:
        """Run a shell script as root; return its output."""
        return self.root("sh", "-ec", script)

    def user(self, *argv: str, check: bool = True) -> str:
        """Run a command as the account, as if signed in; return its output."""
        code, out, err = self.ran(*argv)
        assert code == 0 or not check, f"{' '.join(argv)} ended with {code}:\n{out}\n{err}"
        return out.strip()

    def ran(self, *argv: str) -> tuple[int, str, str]:
        """Run a command as the account; return exit code, output and errors."""
        run = f"/run/user/{self._uid}"
        variables = {
            "HOME": str(HOME),
            "XDG_RUNTIME_DIR": run,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={run}/bus",
            "PATH": f"{HOME}/ananke/bin:/usr/local/bin:/usr/bin:/bin",
        }
        done = subprocess.run(
            [
                *("podman", "exec", f"--user={USER}", f"--workdir={HOME}"),
                *(f"--env={name}={value}" for name, value in variables.items()),
                *(_NAME, *argv),
            ],
            capture_output=True,
            text=True,
            timeout=_LONG_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def ananke(self, *words: str) -> dict[str, Any]:
        """Run the manager; return its JSON."""
        found: dict[str, Any] = json.loads(self.user("ananke", *words, "--json"))
        return found

    def proxy(self, path: str, port: int) -> None:
        """Set up nginx as ``host-admins`` has it, for one hub."""
        page = _PAGE.read_text("utf-8")
        block = re.search(r"^```nginx\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        assert block is not None
        text = (
            block[1]
            .replace("jupyter.example.org", HUB_NAME)
            .replace(f"/etc/letsencrypt/live/{HUB_NAME}/fullchain.pem", "/srv/brought/tls.crt")
            .replace(f"/etc/letsencrypt/live/{HUB_NAME}/privkey.pem", "/srv/brought/tls.key")
            .replace("location /math/", f"location {path}/")
            .replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        )
        (self.brought / "hub.conf").write_text(text)
        self.root("cp", "/srv/brought/hub.conf", "/etc/nginx/conf.d/hub.conf")
        self.root("nginx", "-t")
        self.root("systemctl", "restart", "nginx")


@dataclass
class RootlessBox(Box):
    """A hub's container on the target host. Asked like one that root runs."""

    host: TargetHost | None = None

    def root(self, *argv: str, check: bool = True) -> str:
        """Run a command in the container as its root; return its output."""
        assert self.host is not None
        return self.host.user("podman", "exec", self.name, *argv, check=check)
