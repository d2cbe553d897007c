"""The demo's processes: started, watched, and ended with all that they started."""

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
from kore.host import processes

TAG = "ANANKE_DEMO_STATE"
"""Variable in every process's environment: which state directory it works for."""

_PREFIX = "JUPYTERHUB_SERVICE_PREFIX"
"""Variable that says where a server answers: ``/user/<name>/`` where it is a single-user one."""

_PATIENCE = 6.0
_SECOND_PATIENCE = 1.5
_LAST_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One program: what it is called, how it is run, where it writes."""

    title: str
    argv: list[str]
    log: Path
    cwd: Path
    environment: dict[str, str]


class Parts:
    """The running programs.

    Their descendants open sessions of their own (single-user servers, kernels): as the
    subreaper this process stays an ancestor of all of them.
    """

    def __init__(self) -> None:
        self._running: list[tuple[Part, subprocess.Popen[bytes]]] = []
        processes.adopt_orphans()

    def start(self, part: Part) -> None:
        """Start a program in a session of its own; it ends with this process."""
        demo = os.getpid()
        try:
            with part.log.open("ab") as output:
                process = subprocess.Popen(
                    part.argv,
                    cwd=part.cwd,
                    env=part.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=lambda: processes.end_with_parent(demo),  # noqa: PLW1509
                )
        except OSError as error:
            raise AnankeError(
                Exit.PROCESS_NOT_STARTED,
                f"{part.title} cannot be run: {error.strerror} ({error.filename}).",
                "You need to be able to read and run everything in that place.",
            ) from error
        self._running.append((part, process))

    def ended(self) -> tuple[Part, int] | None:
        """Return a program that ended by itself and its exit status, if there is one."""
        for part, process in self._running:
            status = process.poll()
            if status is not None:
                return part, status
        return None

    def reap(self) -> None:
        """Bury adopted orphans that ended."""
        own = {process.pid for _, process in self._running}
        for child in psutil.Process().children():
            if child.pid not in own:
                with suppress(ChildProcessError):
                    os.waitpid(child.pid, os.WNOHANG)

    def stop(self) -> None:
        """End every program and every descendant, within 9 seconds.

        The programs are given time: the hub writes down that its servers ended. It would
        ask those only after its services: they are asked at once.
        """
        for _, process in self._running:
            with suppress(ProcessLookupError):
                process.terminate()
        for descendant in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if "/user/" in descendant.environ().get(_PREFIX, ""):
                    descendant.terminate()
        deadline = time.monotonic() + _PATIENCE
        for _, process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        end(psutil.Process().children(recursive=True))


def end(victims: Iterable[psutil.Process]) -> None:
    """End processes: asked first, then by force."""
    alive = list(victims)
    for how, patience in (
        (signal.SIGTERM, _SECOND_PATIENCE),
        (signal.SIGKILL, _LAST_PATIENCE),
    ):
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(how)
        _, alive = psutil.wait_procs(alive, timeout=patience)


def leftovers(state_dir: Path) -> list[psutil.Process]:
    """Return what an earlier demo on this state directory, killed, left running."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in own and process.environ().get(TAG) == str(state_dir):
                found.append(process)
    return found
