"""The one gateway to podman, systemd and loginctl: argument lists, never a shell.

Commands that change something go through ``run`` and are only recorded in a dry run; those
that only read go through ``query`` and always run. No other module starts these programs.
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

QUERY_SECONDS = 60.0
RUN_SECONDS = 600.0
LONG_SECONDS = 4 * 3600.0
QUADLET_SINCE = (4, 4)
_MISSING, _NOT_EXECUTABLE = 127, 126
_MAX_ERROR_LINES = 30
_QUADLET_GENERATORS = (
    "/usr/libexec/podman/quadlet",
    "/usr/lib/podman/quadlet",
    "/usr/local/libexec/podman/quadlet",
    "/usr/lib/systemd/user-generators/podman-user-generator",
)
_INSTALL = "Install Podman: on Debian, apt install podman uidmap passt dbus-user-session."
# Messages of Podman and systemd, and what to do about them, which they do not say.
_HINTS = (
    (r"cannot find uid|no subuid ranges|no subgid ranges|insufficient UIDs", "Your account has "
     "too few subordinate ids. The machine's administrator can add some: "
     "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER. "
     "Then: podman system migrate."),
    (r"address already in use|port is already allocated", "Another program uses the port. "
     "Choose another one in config.py."),
    (r"Failed to connect to (?:user scope )?bus|DBUS_SESSION_BUS_ADDRESS|No medium found",
     "You have no systemd session. Sign in directly (ssh, not su or sudo), or use: "
     "machinectl shell USER@"),
    (r"no space left on device", "The disk is full: podman system df, podman image prune."),
    (r"image not known|no such image|unable to find a name", "ananke list --images shows the "
     "images on this host. Build one with ananke build, or load one with ananke load."),
    (r"unresolvable CDI devices|CDI device", "This host does not know the GPU's CDI name. "
     "nvidia-ctk cdi list shows the names; the machine's administrator creates them with "
     "nvidia-ctk cdi generate."),
    (r"controller `?\w+`? is not available", "Limits need controllers that systemd delegates to "
     "your account: ananke doctor says how. Or set memory and cpus to 'max'."),
    (r"permission denied", "Check who owns the files, and SELinux: ananke doctor."),
    (r"Interactive authentication required|Access denied", "You are not allowed to do that; "
     "the machine's administrator is."),
)  # fmt: skip
_FALLBACK_HINT = "ananke doctor may show the cause on this host."


@dataclass(frozen=True, slots=True)
class CompletedCommand:
    """The exit code of a program, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the program succeeded."""
        return self.code == 0


class Podman:
    """Podman and systemd of the account that runs ``ananke``.

    ``environment`` replaces the process's own, in tests.
    """

    def __init__(self, steps: Steps, environment: Mapping[str, str] | None = None) -> None:
        self.steps = steps
        self._environment = dict(os.environ if environment is None else environment)
        self._version: tuple[int, ...] | None = None

    # Commands that change nothing

    def query(
        self,
        argv: Sequence[str],
        *,
        seconds: float = QUERY_SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> CompletedCommand:
        """Run a command that changes nothing, and return its result even if it fails."""
        return self._execute(argv, seconds=seconds, environment=environment)

    def query_json(self, argv: Sequence[str]) -> Any:
        """Return the JSON that podman prints; raises AnankeError if it prints none."""
        completed = self.query(argv)
        if not completed.ok:
            raise make_command_error(argv, completed)
        try:
            return json.loads(completed.stdout or "null")
        except ValueError as error:
            raise AnankeError(
                Exit.PODMAN,
                f"{argv[0]} {argv[1]} did not print JSON.",
                _FALLBACK_HINT,
                completed.stdout[:500],
            ) from error

    def version(self) -> tuple[int, ...]:
        """Return Podman's version; raises AnankeError if Podman does not run."""
        if self._version is None:
            completed = self.query(["podman", "--version"])
            found = re.search(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?", completed.stdout)
            if not completed.ok or not found:
                raise AnankeError(
                    Exit.SOFTWARE_MISSING,
                    "Podman does not run here.",
                    _INSTALL,
                    completed.stderr.strip(),
                )
            self._version = tuple(int(part) for part in found.groups() if part)
        return self._version

    def find_quadlet_generator(self) -> str | None:
        """Return the path of Podman's Quadlet generator, or None if there is none."""
        if self.version() < QUADLET_SINCE:
            return None
        own = self._environment.get("ANANKE_QUADLET")
        paths = [own] if own else _QUADLET_GENERATORS
        return next((path for path in paths if os.access(path, os.X_OK)), None)

    def find_image_id(self, image: str) -> str | None:
        """Return the id of an image on this host, or None."""
        completed = self.query(["podman", "image", "inspect", "--format", "{{.Id}}", image])
        return completed.stdout.strip() or None if completed.ok else None

    def inspect_container(self, name: str) -> dict[str, Any] | None:
        """Return what podman knows about a container, or None if there is none."""
        completed = self.query(["podman", "container", "inspect", name])
        if not completed.ok:
            # Podman uses code 125 for its own errors too: those must not look like "none".
            if (
                "no such container" in completed.stderr.lower()
                or "no such object" in completed.stderr.lower()
            ):
                return None
            raise make_command_error(["podman", "container", "inspect", name], completed)
        try:
            found = json.loads(completed.stdout)
        except ValueError:
            return None
        return found[0] if isinstance(found, list) and found else None

    # Commands that change something

    def run(
        self,
        argv: Sequence[str],
        *,
        seconds: float = RUN_SECONDS,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> CompletedCommand:
        """Run a command that changes something; raises AnankeError if it fails.

        In a dry run it is only recorded, and counts as a success without output.
        """
        completed = self.try_run(argv, seconds=seconds, stdin=stdin, stdout=stdout)
        if not completed.ok:
            raise make_command_error(argv, completed)
        return completed

    def try_run(
        self,
        argv: Sequence[str],
        *,
        seconds: float = RUN_SECONDS,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> CompletedCommand:
        """Run a command that changes something, and return its result even if it fails."""
        if not self.steps.record_command(argv):
            return CompletedCommand(0, "", "")
        return self._execute(argv, seconds=seconds, stdin=stdin, stdout=stdout)

    def run_streaming(self, argv: Sequence[str], *, quiet: bool = False) -> CompletedCommand:
        """Run a long command, and copy its output to standard error; raises AnankeError.

        With ``quiet`` the output is only used for the error.
        """
        if not self.steps.record_command(argv):
            return CompletedCommand(0, "", "")
        completed = (
            self._execute(argv, seconds=LONG_SECONDS) if quiet else self._execute_streaming(argv)
        )
        if not completed.ok:
            raise make_command_error(argv, completed)
        return completed

    def run_interactive(self, argv: Sequence[str]) -> int:
        """Run a program on the terminal until it ends; return its exit code."""
        if not self.steps.record_command(argv):
            return 0
        try:
            return subprocess.run(argv, env=self._environment, check=False).returncode
        except OSError as error:
            raise make_command_error(argv, _make_start_failure(argv, error)) from error

    def make_systemctl_command(self, *args: str) -> list[str]:
        """Return the command line of ``systemctl`` for units of this account."""
        return ["systemctl", "--user", *args]

    def _execute(
        self,
        argv: Sequence[str],
        *,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        stdin: IO[bytes] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> CompletedCommand:
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
            return CompletedCommand(124, "", f"{argv[0]} did not end within {seconds:g} seconds")
        except OSError as error:
            return _make_start_failure(argv, error)
        return CompletedCommand(
            ended.returncode,
            (ended.stdout or b"").decode("utf-8", "replace"),
            ended.stderr.decode("utf-8", "replace"),
        )

    def _execute_streaming(self, argv: Sequence[str]) -> CompletedCommand:
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
                    lines = [*lines[-_MAX_ERROR_LINES:], line]
        except OSError as error:
            return _make_start_failure(argv, error)
        return CompletedCommand(process.returncode, "", b"".join(lines).decode("utf-8", "replace"))


def _make_start_failure(argv: Sequence[str], error: OSError) -> CompletedCommand:
    code = _MISSING if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
    return CompletedCommand(code, "", f"{argv[0]}: {error.strerror}")


def make_command_error(argv: Sequence[str], completed: CompletedCommand) -> AnankeError:
    """Return the error for a program that failed: its output, and what to do."""
    name = Path(argv[0]).name
    if completed.code == _MISSING and completed.stderr.startswith(argv[0]):
        return AnankeError(
            Exit.SOFTWARE_MISSING,
            f"{name} is not installed.",
            _INSTALL if name == "podman" else "ananke needs a host that runs systemd.",
        )
    subcommand = [arg for arg in argv[1:4] if not arg.startswith("-")][:2]
    lines = (completed.stderr.strip() or completed.stdout.strip()).splitlines()
    output = "\n".join(lines[-_MAX_ERROR_LINES:])
    hint = next((h for pattern, h in _HINTS if re.search(pattern, output, re.I)), _FALLBACK_HINT)
    message = f"{' '.join([name, *subcommand])} failed (exit code {completed.code})."
    return AnankeError(Exit.PODMAN, message, hint, output)
