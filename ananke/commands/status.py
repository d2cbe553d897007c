"""``ananke status``: one container, whether its hub answers, and what it uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType

from ananke import hubs, unit
from ananke.errors import Exit, exit_codes
from ananke.result import Result, facts
from ananke.session import Directory, Json, Name, Session, run


@dataclass(frozen=True, slots=True)
class Status(Result):
    """What is known about a container. ``state`` is systemd's word."""

    name: str
    state: str
    hub_answers: bool
    url: str
    image: str
    image_id: str
    since: str
    memory_used: str
    memory_limit: str
    cpus_limit: str
    cpu_used: str
    processes: str
    gpus: tuple[str, ...]
    unit: str
    file: Path
    folder: Path

    def human(self) -> RenderableType:
        """Return one fact a line."""
        return facts(
            [
                ("container", self.name),
                ("state", self.state),
                ("hub", f"{'answers' if self.hub_answers else 'does not answer'} at {self.url}"),
                ("image", f"{self.image} {self.image_id[:12]}".strip()),
                ("since", self.since),
                ("memory", f"{self.memory_used or '?'} of {self.memory_limit}"),
                ("processors", f"{self.cpu_used or '?'} used, {self.cpus_limit}"),
                ("processes", self.processes),
                ("GPUs", ", ".join(self.gpus)),
                ("unit", f"{self.unit} ({self.file})"),
                ("data", self.folder),
            ]
        )

    @property
    def exit_code(self) -> int:
        """14 where the hub does not answer: scripts can watch it."""
        return 0 if self.hub_answers else Exit.HUB_SILENT


def status(session: Session, name: str | None) -> Status:
    """Return what systemd, podman and the hub itself say."""
    found = hubs.applied(session, name)
    container = session.podman.container(found.name) or {}
    used = _used(session, found.name) if container else {}
    return Status(
        name=found.name,
        state=hubs.state(session.podman, found.name),
        hub_answers=hubs.answers(found),
        url=hubs.url(found),
        image=found.image,
        image_id=str(container.get("Image", "")).removeprefix("sha256:"),
        since=str(container.get("State", {}).get("StartedAt", ""))[:19],
        memory_used=str(used.get("mem_usage", "")).partition("/")[0].strip(),
        memory_limit=found.memory or "no limit",
        cpus_limit=f"at most {found.cpus}" if found.cpus else "no limit",
        cpu_used=str(used.get("cpu_percent", "")),
        processes=str(used.get("pids", "")),
        gpus=tuple(found.values["gpus"]),
        unit=unit.service(found.name),
        file=hubs.created(found.name),
        folder=found.folder,
    )


def _used(session: Session, name: str) -> dict[str, Any]:
    """Return what podman measures; nothing where it cannot (no cgroup controllers)."""
    ran = session.podman.ask(["podman", "stats", "--no-stream", "--format=json", name])
    return hubs.first_of(ran.out) if ran.ok else {}


def add_to(app: typer.Typer) -> None:
    """Add ``status`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.HUB_SILENT,
    )

    @app.command("status", epilog=exit_codes(*codes))
    def command(*, name: Name = None, json: Json = False, directory: Directory = None) -> None:
        """Show whether a hub answers, and what its container uses and may use."""
        run(lambda session: status(session, name), json=json, directory=directory)
