"""``ananke start``, ``stop`` and ``restart``: the container's unit, and waiting for the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.errors import Exit, exit_codes
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Name, Session, ordinary_user, run

Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for the hub; 0 does not wait.")
]


@dataclass(frozen=True, slots=True)
class Changed(Result):
    """A container that was started or stopped."""

    name: str
    state: str
    url: str
    seconds: float

    def human(self) -> RenderableType:
        """Return what became of it."""
        if self.state == "stopped":
            return Text(f"The hub {self.name} was stopped.")
        if self.state == "starting":
            return Text(f"The hub {self.name} is starting: {self.url}")
        return Text(f"The hub {self.name} is running: {self.url} (after {self.seconds:.1f} s)")


def change(
    session: Session,
    name: str | None,
    verb: Literal["start", "stop", "restart"],
    *,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> Changed:
    """Start, stop or restart a container."""
    ordinary_user()
    found = hubs.applied(session, name)
    if verb == "stop":
        session.podman.do(session.podman.systemctl("stop", unit.service(found.name)))
        return Changed(name=found.name, state="stopped", url="", seconds=0.0)
    hubs.start(session, found.name, verb=verb)
    seconds = hubs.wait(session, found, seconds=wait_seconds) if wait_seconds else 0.0
    state = "running" if wait_seconds else "starting"
    return Changed(name=found.name, state=state, url=hubs.url(found), seconds=round(seconds, 1))


def add_to(app: typer.Typer) -> None:
    """Add the three to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.DEFINITION, Exit.PODMAN, Exit.NOT_FOUND, Exit.HOST)

    @app.command("start", epilog=exit_codes(*codes, Exit.HUB_SILENT))
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
            lambda session: change(session, name, "start", wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )

    @app.command("stop", epilog=exit_codes(*codes))
    def stop(
        *,
        name: Name = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Stop a container with all its servers. It starts again at the next boot."""
        run(
            lambda session: change(session, name, "stop"),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )

    @app.command("restart", epilog=exit_codes(*codes, Exit.HUB_SILENT))
    def restart(
        *,
        name: Name = None,
        wait: Wait = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Stop a container and start it anew, for example after a change of its configuration."""
        run(
            lambda session: change(session, name, "restart", wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
