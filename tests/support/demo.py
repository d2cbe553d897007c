"""The whole system as ``ananke demo`` runs it, for tests that walk through it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ananke.demo.ports import find_free_port

_START_SECONDS = 120


@dataclass(frozen=True)
class Demo:
    """A running demo: the URLs of its programs, its state, and its process."""

    lms: str
    hub: str
    kore: str
    state_dir: Path
    process: subprocess.Popen[str]

    def log(self, name: str) -> str:
        """Return what a program has logged so far."""
        return (self.state_dir / "logs" / f"{name}.log").read_text(errors="replace")


@contextmanager
def running_demo(state_dir: Path, *more: str, env: dict[str, str] | None = None) -> Iterator[Demo]:
    """Start ``ananke demo`` on free ports; end it and everything that it started by SIGTERM."""
    command = [
        sys.executable,
        "-m",
        "ananke",
        "demo",
        "--json",
        "--port",
        str(find_free_port()),
        "--lms-port",
        str(find_free_port()),
        "--state-dir",
        str(state_dir),
        *more,
    ]
    errors = state_dir.with_name(state_dir.name + ".stderr")
    errors.parent.mkdir(parents=True, exist_ok=True)
    with (
        errors.open("a") as stderr,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(env or {})},
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the demo did not start:\n{errors.read_text()}"
            ready = json.loads(line)
            yield Demo(
                lms=ready["lms"].rstrip("/"),
                hub=ready["hub"].rstrip("/"),
                kore=ready["kore"].rstrip("/"),
                state_dir=Path(ready["state_dir"]),
                process=process,
            )
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
