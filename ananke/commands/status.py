"""``ananke status``: one container, whether its hub answers, and what it uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType

from ananke import disks, hubs, unit
from ananke.context import CommandContext, Directory, Json, Name, run
from ananke.errors import Exit, describe_exit_codes
from ananke.result import Result, make_fact_table
from ananke.times import to_iso, to_local

_NO_MEMORY = re.compile(r"\s*(?:0+(?:\.0+)?\s*[kMG]?i?B?|--)\s*(?:/|$)")


@dataclass(frozen=True, slots=True)
class Status(Result):
    """The status of a container.

    ``state`` is that of its systemd unit, ``started_at`` ISO 8601 in UTC. Limits are None for
    no limit.
    ``disk_free`` is in bytes, on the disk of the data.
    """

    name: str
    state: str
    hub_answers: bool
    url: str
    image: str
    image_id: str
    started_at: str
    memory_used: str
    memory_limit: str | None
    cpus_limit: str | None
    cpu_used: str
    processes: str
    gpus: tuple[str, ...]
    unit: str
    file: Path
    folder: Path
    disk_free: int

    def render(self) -> RenderableType:
        """Return one fact for each line."""
        return make_fact_table(
            [
                ("container", self.name),
                ("state", self.state),
                ("hub", f"{'answers' if self.hub_answers else 'does not answer'} at {self.url}"),
                ("image", f"{self.image} {self.image_id[:12]}".strip()),
                ("started", to_local(self.started_at)),
                ("memory", _format_usage(self.memory_used, self.memory_limit)),
                ("processors", _format_usage(self.cpu_used, self.cpus_limit)),
                ("processes", self.processes),
                ("GPUs", ", ".join(self.gpus)),
                ("unit", f"{self.unit} ({self.file})"),
                ("data", f"{self.folder} ({self._describe_disk()})"),
            ]
        )

    def _describe_disk(self) -> str:
        free = f"{self.disk_free / disks.GB:.1f} GB free"
        if self.disk_free >= disks.LOW_BYTES:
            return free
        place = disks.find_mount_point(self.folder)
        urgent = "almost full" if self.disk_free < disks.MIN_BYTES else "getting full"
        return f"WARNING: the disk {place} is {urgent}, {free}"

    @property
    def exit_code(self) -> int:
        """14 if the hub does not answer, so that scripts can watch it."""
        return 0 if self.hub_answers else Exit.HUB_NOT_ANSWERING


def read_status(context: CommandContext, name: str | None) -> Status:
    """Return what systemd, podman and the hub itself report."""
    found = hubs.read_created_definition(context, name)
    container = context.podman.inspect_container(found.name) or {}
    usage = _read_usage(context, found.name) if container else {}
    return Status(
        name=found.name,
        state=hubs.read_unit_state(context.podman, found.name),
        hub_answers=hubs.is_answering(found),
        url=hubs.get_hub_url(found),
        image=found.image,
        image_id=str(container.get("Image", "")).removeprefix("sha256:"),
        started_at=to_iso(container.get("State", {}).get("StartedAt")),
        memory_used=str(usage.get("mem_usage", "")).partition("/")[0].strip(),
        memory_limit=found.memory or None,
        cpus_limit=found.cpus or None,
        cpu_used=str(usage.get("cpu_percent", "")),
        processes=str(usage.get("pids", "")),
        gpus=tuple(found.values["gpus"]),
        unit=unit.get_service_name(found.name),
        file=hubs.require_created(found.name),
        folder=found.folder,
        disk_free=disks.read_free_bytes(found.folder),
    )


def _format_usage(used: str, limit: str | None) -> str:
    shown = f"{used} used" if used else "usage unknown"
    return f"{shown}, at most {limit}" if limit else f"{shown}, no limit"


def _read_usage(context: CommandContext, name: str) -> dict[str, Any]:
    """Return what podman measures; empty if it cannot (no cgroup controllers).

    Without the controllers podman reports zeros. No container that runs uses no memory.
    """
    completed = context.podman.query(["podman", "stats", "--no-stream", "--format=json", name])
    usage = hubs.parse_first_object(completed.stdout) if completed.ok else {}
    return usage if _NO_MEMORY.match(str(usage.get("mem_usage", ""))) is None else {}


def register(app: typer.Typer) -> None:
    """Add ``status`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.HUB_NOT_ANSWERING,
    )

    @app.command("status", epilog=describe_exit_codes(*codes))
    def command(*, name: Name = None, json: Json = False, directory: Directory = None) -> None:
        """Show whether a hub answers, and what its container uses and may use."""
        run(lambda context: read_status(context, name), json=json, directory=directory)
