"""A booted image: started, asked from inside and outside, recreated on the same folders."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from ananke.mounts import MOUNTS, STATE

_CALL_SECONDS = 120
READY_SECONDS = 120
DEVICE = "/dev/nvidia0"
"""A device that the container is given, instead of a GPU's."""


def podman(*argv: str, check: bool = True, seconds: int = _CALL_SECONDS) -> str:
    """Run podman; return what it says."""
    done = subprocess.run(
        ["podman", *argv], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0 or not check, f"podman {' '.join(argv)}: {done.stderr}"
    return done.stdout


def wait_for(url: str, seconds: float = READY_SECONDS, *, ca: str = "") -> float:
    """Wait until a page answers with 200; return how long that took.

    ``ca`` is a file of authorities to trust instead of the usual ones.
    """
    begun, beat = time.monotonic(), threading.Event()
    with requests.Session() as session:
        session.trust_env = False
        session.verify = ca or True
        while time.monotonic() - begun < seconds:
            try:
                if session.get(url, timeout=5).status_code == 200:
                    return time.monotonic() - begun
            except requests.RequestException:
                pass
            beat.wait(0.1)
    raise AssertionError(f"{url} does not answer after {seconds} s")


@dataclass
class Box:
    """A container of an image, with the folders of a definition. ``hub`` has no slash."""

    name: str
    image: str
    folder: Path
    hub: str
    lms: str
    ca: str = ""

    @property
    def kore(self) -> str:
        """Kore as a browser sees it."""
        return f"{self.hub}/services/kore"

    def start(self) -> float:
        """Make the container and wait for the hub; return how long that took."""
        volumes = []
        for mount in MOUNTS:
            source = self.folder / mount.source
            source.mkdir(parents=True, exist_ok=True)
            volumes += ["-v", f"{source}:{mount.target}{'' if mount.writable else ':ro'}"]
        begun = time.monotonic()
        podman(
            *("run", "--detach", "--name", self.name, "--systemd=always", "--network=host"),
            *("--cap-add=SYS_ADMIN", f"--device=/dev/zero:{DEVICE}", *volumes, self.image),
        )
        self.wait()
        return time.monotonic() - begun

    def wait(self) -> None:
        """Wait until hub and Kore answer; the journal is told where they do not."""
        try:
            wait_for(f"{self.hub}/hub/health", ca=self.ca)
            if "nbgrader" in self.image:
                wait_for(f"{self.kore}/health", ca=self.ca)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journal('--lines=80')}") from error

    def as_admin(self, method: str, path: str, *, check: bool = True) -> requests.Response:
        """Ask the hub's API with Kore's token, which may manage users."""
        token = (self.state("hub") / "kore.token").read_text().strip()
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.ca or True
            answer = session.request(
                method,
                f"{self.hub}/hub/api/{path}",
                headers={"Authorization": f"token {token}"},
                timeout=_CALL_SECONDS,
            )
        assert answer.ok or not check, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def memory(self) -> float:
        """Return what all the container's processes use, in MiB: proportional set sizes."""
        script = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | grep ^Pss: || true"
        return sum(int(line.split()[1]) for line in self.shell(script).splitlines()) / 1024

    def remove(self) -> None:
        """Stop and remove the container; the folders stay."""
        podman("rm", "--force", "--time", "20", self.name)

    def root(self, *argv: str, check: bool = True) -> str:
        """Run a command in the container as root; return its output."""
        return podman("exec", self.name, *argv, check=check).strip()

    def shell(self, script: str) -> str:
        """Run a shell script in the container as root; return its output."""
        return self.root("sh", "-ec", script)

    def journal(self, *more: str) -> str:
        """Return the journal since the container's start."""
        return self.root("journalctl", "--no-pager", "--boot", *more, check=False)

    def state(self, name: str) -> Path:
        """Return a folder of state by its name in the definition."""
        return self.folder / STATE / name
