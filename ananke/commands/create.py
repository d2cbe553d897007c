"""``ananke create``: a container from its definition, run as a systemd unit."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import definition, hubconfig, hubs, requirements, unit
from ananke.context import CommandContext, Directory, DryRun, Json, Name, require_ordinary_user, run
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.locks import lock_container
from ananke.option_flags import Overrides, add_option_flags
from ananke.result import Result, make_fact_table

EXIT_CODES = (
    Exit.PORT_TAKEN,
    Exit.SOFTWARE_MISSING,
    Exit.STATE_IN_USE,
    Exit.DEFINITION,
    Exit.PODMAN,
    Exit.NOT_FOUND,
    Exit.EXISTS,
    Exit.HUB_NOT_ANSWERING,
    Exit.HOST,
)


@dataclass(frozen=True, slots=True)
class CreateResult(Result):
    """A container that was created. ``memory`` and ``cpus`` are None for no limit."""

    name: str
    url: str
    image: str
    image_id: str
    unit: str
    file: Path
    memory: str | None
    cpus: str | None
    gpus: tuple[str, ...]
    started: bool
    seconds: float

    def render(self) -> RenderableType:
        """Return where the hub is."""
        headline = (
            f"The hub {self.name} is running: {self.url}"
            if self.started
            else f"Created the container {self.name}. Start it with: ananke start {self.name}"
        )
        rows: list[tuple[str, Any]] = [
            ("image", f"{self.image} ({self.image_id[:12]})"),
            ("unit", f"{self.unit} ({self.file})"),
            ("memory", self.memory or "no limit"),
            ("processors", self.cpus or "no limit"),
            ("GPUs", ", ".join(self.gpus)),
            ("ready after", f"{self.seconds:.1f} s" if self.started else ""),
        ]
        return Group(Text(headline, style="bold"), make_fact_table(rows))


def create(
    context: CommandContext,
    name: str | None,
    overrides: dict[str, Any],
    *,
    start: bool = True,
    linger: bool = True,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> CreateResult:
    """Create and start a container; raises AnankeError before anything is changed.

    If only the hub does not answer in the end, the container is kept, so that the cause can
    be found.
    """
    require_ordinary_user()
    found = context.read_definition(name)
    found = ask_missing_values(context, found.with_values(overrides))
    with lock_container(context, found.name, "create"):
        check_definition(context, found)
        image_id = hubs.require_image(context.podman, found.image)
        if linger:
            hubs.ensure_lingering(context)
        return set_up_container(context, found, image_id, start=start, wait_seconds=wait_seconds)


def check_definition(context: CommandContext, found: Definition) -> None:
    """Raise AnankeError for everything that is known to fail."""
    found.require_complete()
    hubconfig.require_lms(found)
    require_volumes(found)
    hubs.require_new(context, found.name)
    requirements.check_requirements(context.podman, found)
    require_port(context, found)


def ask_missing_values(context: CommandContext, found: Definition) -> Definition:
    """Return the definition with a person's answers instead of ``interactive``."""
    return found.with_values(
        {key: context.ask_option(key) for key in found.list_interactive_keys()}
    )


def set_up_container(
    context: CommandContext,
    found: Definition,
    image_id: str,
    *,
    start: bool,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> CreateResult:
    """Make folders and unit, tag the image, start, and wait until the hub answers."""
    hubs.make_folders(context, found)
    hubs.save_created_values(context, found)
    context.podman.run(["podman", "tag", image_id, unit.get_current_tag(found.name)])
    file = hubs.install_unit(context, found)
    seconds = 0.0
    if start:
        hubs.start_unit(context, found.name)
        seconds = hubs.wait_for_hub(context, found, seconds=wait_seconds)
    return CreateResult(
        name=found.name,
        url=hubs.get_hub_url(found),
        image=found.image,
        image_id=image_id.removeprefix("sha256:"),
        unit=unit.get_service_name(found.name),
        file=file,
        memory=found.memory or None,
        cpus=found.cpus or None,
        gpus=tuple(found.values["gpus"]),
        started=start,
        seconds=round(seconds, 1),
    )


def require_volumes(found: Definition) -> None:
    """Raise AnankeError for a volume whose folder does not exist: Podman would not start."""
    for text in found.values["volumes"]:
        source = text.partition(":")[0]
        if not unit.get_volume_folder(found, source).exists():
            raise found.make_value_error(
                "volumes",
                f"the folder to mount, {source!r}, does not exist",
                "Create the folder, or name another one.",
            )


def require_port(context: CommandContext, found: Definition) -> None:
    """Raise AnankeError for a port that another program or container uses."""
    host, port = found.address
    for name in definition.list_names(context.root):
        if name == found.name or unit.find_installed(name) is None:
            continue
        try:
            other = definition.read_definition(context.root, name)
        except AnankeError:
            continue
        if other.values["port"] is not None and other.address[1] == port:
            raise AnankeError(
                Exit.PORT_TAKEN,
                f"The container {name} uses port {port}.",
                f"Choose another one in {found.file}, or with --port.",
            )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = found.values["port"].rpartition(":")[0].strip("[]")
    with socket.socket(family) as probe:
        # Connections that ended a moment ago do not keep a port in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bound, port))
        except OSError as error:
            raise AnankeError(
                Exit.PORT_TAKEN,
                f"Port {found.values['port']} cannot be used: {error.strerror}.",
                f"Choose another one in {found.file}, or with --port.",
            ) from error


def register(app: typer.Typer) -> None:
    """Add ``create`` to the command line."""

    @app.command("create", epilog=describe_exit_codes(*EXIT_CODES))
    @add_option_flags()
    def command(
        *,
        name: Name = None,
        overrides: Overrides,
        start: Annotated[
            bool,
            typer.Option("--start/--no-start", help="Start the container and wait for the hub."),
        ] = True,
        linger: Annotated[
            bool,
            typer.Option(
                "--linger/--no-linger",
                help="Make sure that the hub keeps running while you are signed out.",
            ),
        ] = True,
        wait: Annotated[
            float, typer.Option(min=1, help="Seconds to wait for the hub.")
        ] = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Create a container from its definition, start it, and wait until the hub answers."""
        run(
            lambda context: create(
                context, name, overrides, start=start, linger=linger, wait_seconds=wait
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
