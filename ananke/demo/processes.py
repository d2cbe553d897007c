"""The demo's programs: starting, watching, and ending them with all their descendants."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ananke.errors import AnankeError, Exit
from kore.host import processes as host_processes

TAG = "ANANKE_DEMO_STATE"
"""Environment variable of every process of a demo: its state directory."""

_SERVICE_PREFIX = "JUPYTERHUB_SERVICE_PREFIX"
"""Environment variable with a server's path: ``/user/<name>/`` for a single-user server."""

_GRACE_SECONDS = 6.0
_TERMINATE_SECONDS = 1.5
_KILL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its title for people, how it is run, and where it writes its log."""

    title: str
    argv: list[str]
    log: Path
    cwd: Path
    environment: dict[str, str]


class ProcessGroup:
    """The running programs of the demo.

    Their descendants open sessions of their own (single-user servers, kernels): as the
    subreaper, this process stays an ancestor of all of them.
    """

    def __init__(self) -> None:
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []
        host_processes.adopt_orphans()

    def start(self, program: Program) -> None:
        """Start a program in a session of its own; it ends with this process."""
        demo_pid = os.getpid()
        try:
            with program.log.open("ab") as output:
                process = subprocess.Popen(
                    program.argv,
                    cwd=program.cwd,
                    env=program.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=lambda: host_processes.end_with_parent(demo_pid),  # noqa: PLW1509
                )
        except OSError as error:
            raise AnankeError(
                Exit.PROCESS_NOT_STARTED,
                f"{program.title} cannot be run: {error.strerror} ({error.filename}).",
                "Make sure that you may read and run everything in that folder.",
            ) from error
        self._running.append((program, process))

    def find_ended(self) -> tuple[Program, int] | None:
        """Return a program that ended unexpectedly and its exit status, if there is one."""
        for program, process in self._running:
            status = process.poll()
            if status is not None:
                return program, status
        return None

    def reap_orphans(self) -> None:
        """Collect the exit status of adopted orphans that ended."""
        own = {process.pid for _, process in self._running}
        for child in psutil.Process().children():
            if child.pid not in own:
                with suppress(ChildProcessError):
                    os.waitpid(child.pid, os.WNOHANG)

    def stop(self) -> None:
        """End every program and every descendant, within 9 seconds.

        The hub needs some time to record that its servers ended. It would ask these to end
        only after its services, so they are asked here at once.
        """
        for _, process in self._running:
            with suppress(ProcessLookupError):
                process.terminate()
        for descendant in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if "/user/" in descendant.environ().get(_SERVICE_PREFIX, ""):
                    descendant.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for _, process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        end_processes(psutil.Process().children(recursive=True))


def end_processes(processes: Iterable[psutil.Process]) -> None:
    """End processes: first with SIGTERM, then with SIGKILL."""
    alive = list(processes)
    for number, timeout in (
        (signal.SIGTERM, _TERMINATE_SECONDS),
        (signal.SIGKILL, _KILL_SECONDS),
    ):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        _, alive = psutil.wait_procs(alive, timeout=timeout)


def find_leftovers(state_dir: Path) -> list[psutil.Process]:
    """Return the processes that a killed demo on this state directory left running."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in own and process.environ().get(TAG) == str(state_dir):
                found.append(process)
    return found
