"""The one gateway to podman, systemd and loginctl: argument lists, never a shell.

What changes something goes through ``do`` and is only noted in a dry run; what asks goes
through ``ask`` and is always run. Nothing outside this module starts these programs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ananke.errors import AnankeError, Exit
from ananke.steps import Steps

ASK_SECONDS = 60.0
DO_SECONDS = 600.0
LONG_SECONDS = 4 * 3600.0
QUADLET_SINCE = (4, 4)
_MISSING, _NOT_RUNNABLE = 127, 126
_KEPT_LINES = 30
_GENERATORS = (
    "/usr/libexec/podman/quadlet",
    "/usr/lib/podman/quadlet",
    "/usr/local/libexec/podman/quadlet",
    "/usr/lib/systemd/user-generators/podman-user-generator",
)
_INSTALL = "Install Podman: on Debian, apt install podman uidmap passt dbus-user-session."
# Podman's words, and the way out that they do not tell.
_HINTS = (
    (r"cannot find uid|no subuid ranges|no subgid ranges|insufficient UIDs", "Your account has "
     "too few subordinate ids. The machine's administrator can give some: "
     "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER. "
     "Then: podman system migrate."),
    (r"address already in use|port is already allocated", "Another program has the port. "
     "Choose another in config.py."),
    (r"Failed to connect to (?:user scope )?bus|DBUS_SESSION_BUS_ADDRESS|No medium found",
     "There is no systemd session for you. Sign in directly (ssh, not su or sudo), or use: "
     "machinectl shell USER@"),
    (r"no space left on device", "The disk is full: podman system df, podman image prune."),
    (r"image not known|no such image|unable to find a name", "ananke list --images shows the "
     "images there are. Make one with ananke build, or load one with ananke load."),
    (r"unresolvable CDI devices|CDI device", "The GPU's CDI name is not known here. "
     "nvidia-ctk cdi list shows the names; the machine's administrator makes them with "
     "nvidia-ctk cdi generate."),
    (r"controller `?\w+`? is not available", "Limits need controllers that systemd hands to "
     "your account: ananke doctor tells how. Or set memory and cpus to 'max'."),
    (r"permission denied", "Check to whom the files belong, and SELinux: ananke doctor."),
    (r"Interactive authentication required|Access denied", "You may not do that yourself: the "
     "machine's administrator may."),
)  # fmt: skip
_FALLBACK_HINT = "ananke doctor shows what on this host may be the cause."


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it says that all went well."""
        return self.code == 0


class Podman:
    """Podman and systemd of the account that runs ``ananke``.

    ``environment`` replaces the process's own, in tests.
    """

    def __init__(self, steps: Steps, environment: Mapping[str, str] | None = None) -> None:
        self.steps = steps
        self._environment = dict(os.environ if environment is None else environment)
        self._version: tuple[int, ...] | None = None

    # Asking

    def ask(
        self,
        argv: Sequence[str],
        *,
        seconds: float = ASK_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run what changes nothing and return how it ended, also where that is badly."""
        return self._run(argv, seconds=seconds, environment=environment)

    def ask_json(self, argv: Sequence[str]) -> Any:
        """Return what podman answers as JSON; raises AnankeError where it does not."""
        ran = self.ask(argv)
        if not ran.ok:
            raise failed(argv, ran)
        try:
            return json.loads(ran.out or "null")
        except ValueError as error:
            raise AnankeError(
                Exit.PODMAN, f"{argv[0]} {argv[1]} gave no JSON.", _FALLBACK_HINT, ran.out[:500]
            ) from error

    def version(self) -> tuple[int, ...]:
        """Return Podman's version; raises AnankeError where there is none."""
        if self._version is None:
            ran = self.ask(["podman", "--version"])
            found = re.search(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", ran.out)
            if not ran.ok or not found:
                raise AnankeError(
                    Exit.SOFTWARE_MISSING,
                    "Podman cannot be run here.",
                    _INSTALL,
                    ran.err.strip(),
                )
            self._version = tuple(int(part) for part in found.groups() if part)
        return self._version

    def generator(self) -> str | None:
        """Return the path of Podman's Quadlet generator, or None for a Podman without."""
        if self.version() < QUADLET_SINCE:
            return None
        own = self._environment.get("ANANKE_QUADLET")
        paths = [own] if own else _GENERATORS
        return next((path for path in paths if os.access(path, os.X_OK)), None)

    def image_id(self, image: str) -> str | None:
        """Return the id of an image that is here, or None."""
        ran = self.ask(["podman", "image", "inspect", "--format", "{{.Id}}", image])
        return ran.out.strip() or None if ran.ok else None

    def container(self, name: str) -> dict[str, Any] | None:
        """Return what podman knows about a container, or None where there is none."""
        ran = self.ask(["podman", "container", "inspect", name])
        if not ran.ok:
            # 125 is also for Podman's own troubles: those must not look like "none".
            if "no such container" in ran.err.lower() or "no such object" in ran.err.lower():
                return None
            raise failed(["podman", "container", "inspect", name], ran)
        try:
            found = json.loads(ran.out)
        except ValueError:
            return None
        return found[0] if isinstance(found, list) and found else None

    # Doing

    def do(
        self,
        argv: Sequence[str],
        *,
        seconds: float = DO_SECONDS,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> Ran:
        """Run what changes something; raises AnankeError where it fails.

        In a dry run it is noted, and counts as gone well without a word.
        """
        ran = self.do_quietly(argv, seconds=seconds, stdin=stdin, stdout=stdout)
        if not ran.ok:
            raise failed(argv, ran)
        return ran

    def do_quietly(
        self,
        argv: Sequence[str],
        *,
        seconds: float = DO_SECONDS,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> Ran:
        """Run what changes something and return how it ended, also where that is badly."""
        if not self.steps.command(argv):
            return Ran(0, "", "")
        return self._run(argv, seconds=seconds, stdin=stdin, stdout=stdout)

    def show(self, argv: Sequence[str], *, quiet: bool = False) -> Ran:
        """Run what takes long, its words going to standard error; raises AnankeError.

        ``quiet`` keeps the words for the error alone.
        """
        if not self.steps.command(argv):
            return Ran(0, "", "")
        ran = self._run(argv, seconds=LONG_SECONDS) if quiet else self._watched(argv)
        if not ran.ok:
            raise failed(argv, ran)
        return ran

    def hand_over(self, argv: Sequence[str]) -> int:
        """Give the terminal to a program until it ends; return its exit code."""
        if not self.steps.command(argv):
            return 0
        try:
            return subprocess.run(argv, env=self._environment, check=False).returncode
        except OSError as error:
            raise failed(argv, _not_run(argv, error)) from error

    def systemctl(self, *words: str) -> list[str]:
        """Return the command line of ``systemctl`` for units of this account."""
        return ["systemctl", "--user", *words]

    def _run(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> Ran:
        try:
            ended = subprocess.run(
                argv,
                env={**self._environment, **(environment or {})},
                stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Ran(124, "", f"{argv[0]} did not end within {seconds:g} seconds")
        except OSError as error:
            return _not_run(argv, error)
        return Ran(
            ended.returncode,
            (ended.stdout or b"").decode("utf-8", "replace"),
            ended.stderr.decode("utf-8", "replace"),
        )

    def _watched(self, argv: Sequence[str]) -> Ran:
        try:
            with subprocess.Popen(
                argv,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as process:
                assert process.stdout is not None
                lines: list[bytes] = []
                for line in process.stdout:
                    os.write(2, line)
                    lines = [*lines[-_KEPT_LINES:], line]
        except OSError as error:
            return _not_run(argv, error)
        return Ran(process.returncode, "", b"".join(lines).decode("utf-8", "replace"))


def _not_run(argv: Sequence[str], error: OSError) -> Ran:
    missing = isinstance(error, FileNotFoundError)
    return Ran(_MISSING if missing else _NOT_RUNNABLE, "", f"{argv[0]}: {error.strerror}")


def failed(argv: Sequence[str], ran: Ran) -> AnankeError:
    """Return the error for a program that ended badly: its words, and a way out."""
    name = Path(argv[0]).name
    if ran.code == _MISSING and ran.err.startswith(argv[0]):
        return AnankeError(
            Exit.SOFTWARE_MISSING,
            f"{name} is not installed.",
            _INSTALL if name == "podman" else "ananke needs a host that runs systemd.",
        )
    words = [word for word in argv[1:4] if not word.startswith("-")][:2]
    lines = (ran.err.strip() or ran.out.strip()).splitlines()[-_KEPT_LINES:]
    said = "\n".join(lines)
    hint = next((h for pattern, h in _HINTS if re.search(pattern, said, re.I)), _FALLBACK_HINT)
    return AnankeError(
        Exit.PODMAN, f"{' '.join([name, *words])} failed (exit code {ran.code}).", hint, said
    )
