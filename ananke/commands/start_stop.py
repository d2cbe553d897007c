"""``ananke start``, ``stop`` and ``restart``: the container's unit, and waiting for the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.context import CommandContext, Directory, DryRun, Json, Name, require_ordinary_user, run
from ananke.errors import Exit, describe_exit_codes
from ananke.result import Result

Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for the hub; 0 for not at all.")
]


@dataclass(frozen=True, slots=True)
class StateChange(Result):
    """A container that was started or stopped."""

    name: str
    state: str
    url: str
    seconds: float

    def render(self) -> RenderableType:
        """Return the new state."""
        if self.state == "stopped":
            return Text(f"Stopped the hub {self.name}.")
        if self.state == "starting":
            return Text(f"The hub {self.name} is starting: {self.url}")
        return Text(f"The hub {self.name} is running: {self.url} (after {self.seconds:.1f} s)")


def change_state(
    context: CommandContext,
    name: str | None,
    verb: Literal["start", "stop", "restart"],
    *,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> StateChange:
    """Start, stop or restart a container."""
    require_ordinary_user()
    found = hubs.read_created_definition(context, name)
    if verb == "stop":
        context.podman.run(
            context.podman.make_systemctl_command("stop", unit.get_service_name(found.name))
        )
        return StateChange(name=found.name, state="stopped", url="", seconds=0.0)
    hubs.start_unit(context, found.name, verb=verb)
    seconds = hubs.wait_for_hub(context, found, seconds=wait_seconds) if wait_seconds else 0.0
    state = "running" if wait_seconds else "starting"
    return StateChange(
        name=found.name, state=state, url=hubs.get_hub_url(found), seconds=round(seconds, 1)
    )


def register(app: typer.Typer) -> None:
    """Add the three commands to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.DEFINITION, Exit.PODMAN, Exit.NOT_FOUND, Exit.HOST)

    @app.command("start", epilog=describe_exit_codes(*codes, Exit.HUB_NOT_ANSWERING))
    def start(
        *,
        name: Name = None,
        wait: Wait = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Start a container, and wait until its hub answers."""
        run(
            lambda context: change_state(context, name, "start", wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )

    @app.command("stop", epilog=describe_exit_codes(*codes))
    def stop(
        *,
        name: Name = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Stop a container and all servers in it. It starts again at the next boot."""
        run(
            lambda context: change_state(context, name, "stop"),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )

    @app.command("restart", epilog=describe_exit_codes(*codes, Exit.HUB_NOT_ANSWERING))
    def restart(
        *,
        name: Name = None,
        wait: Wait = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Stop a container and start it again, for example after a change of its configuration."""
        run(
            lambda context: change_state(context, name, "restart", wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
