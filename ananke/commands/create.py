"""``ananke create``: a container from its definition, as a unit of systemd that answers."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import definition, hubconfig, hubs, requirements, unit
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.options import BY_KEY
from ananke.result import Result, facts
from ananke.session import Directory, DryRun, Json, Name, Session, ordinary_user, run

EXIT_CODES = (
    Exit.PORT_TAKEN,
    Exit.SOFTWARE_MISSING,
    Exit.DEFINITION,
    Exit.PODMAN,
    Exit.NOT_FOUND,
    Exit.EXISTS,
    Exit.HUB_SILENT,
    Exit.HOST,
)


@dataclass(frozen=True, slots=True)
class Created(Result):
    """A container that runs, or would run (``started`` is False)."""

    name: str
    url: str
    image: str
    image_id: str
    unit: str
    file: Path
    memory: str
    cpus: str
    gpus: tuple[str, ...]
    started: bool
    seconds: float

    def human(self) -> RenderableType:
        """Return where the hub is."""
        words = (
            f"The hub {self.name} is running: {self.url}"
            if self.started
            else f"The container {self.name} was created. Start it with: ananke start {self.name}"
        )
        rows: list[tuple[str, Any]] = [
            ("image", f"{self.image} ({self.image_id[:12]})"),
            ("unit", f"{self.unit} ({self.file})"),
            ("memory", self.memory),
            ("processors", self.cpus),
            ("GPUs", ", ".join(self.gpus)),
            ("ready after", f"{self.seconds:.1f} s" if self.started else ""),
        ]
        return Group(Text(words, style="bold"), facts(rows))


def create(
    session: Session,
    name: str | None,
    overrides: dict[str, Any],
    *,
    start: bool = True,
    linger: bool = True,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> Created:
    """Create and start a container; raises AnankeError before anything was changed.

    Only that the hub does not come up is found later: the container then stays, to be
    looked into.
    """
    ordinary_user()
    found = session.definition(name)
    found = answered(session, found.with_values(overrides))
    checked(session, found)
    image_id = hubs.require_image(session.podman, found.image)
    if linger:
        hubs.require_lingering(session)
    return bring_up(session, found, image_id, start=start, wait_seconds=wait_seconds)


def checked(session: Session, found: Definition) -> None:
    """Raise AnankeError for whatever can be known to fail."""
    found.require_complete()
    hubconfig.require_lms(found)
    require_volumes(found)
    hubs.require_new(session, found.name)
    requirements.require(session.podman, found)
    require_port(session, found)


def answered(session: Session, found: Definition) -> Definition:
    """Return the definition with answers where it says ``interactive``."""
    return found.with_values({key: session.ask_option(key) for key in found.unanswered()})


def bring_up(
    session: Session,
    found: Definition,
    image_id: str,
    *,
    start: bool,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> Created:
    """Make folders and unit, tag the image, start, and wait until the hub answers."""
    hubs.make_folders(session, found)
    hubs.note_applied(session, found)
    session.podman.do(["podman", "tag", image_id, unit.current_tag(found.name)])
    file = hubs.install_unit(session, found)
    seconds = 0.0
    if start:
        hubs.start(session, found.name)
        seconds = hubs.wait(session, found, seconds=wait_seconds)
    return Created(
        name=found.name,
        url=hubs.url(found),
        image=found.image,
        image_id=image_id.removeprefix("sha256:"),
        unit=unit.service(found.name),
        file=file,
        memory=found.memory or "no limit",
        cpus=found.cpus or "no limit",
        gpus=tuple(found.values["gpus"]),
        started=start,
        seconds=round(seconds, 1),
    )


def require_volumes(found: Definition) -> None:
    """Raise AnankeError for a volume whose folder is not there: Podman would not start."""
    for text in found.values["volumes"]:
        source = text.partition(":")[0]
        if not unit.volume_folder(found, source).exists():
            raise definition.refusal(
                found.file,
                found.lines.get("volumes", 0),
                f"volumes names the folder {source!r}, which does not exist",
                "Make the folder, or correct the line.",
            )


def require_port(session: Session, found: Definition) -> None:
    """Raise AnankeError for a port that another program or definition has."""
    host, port = found.address
    for name in definition.names(session.root):
        if name == found.name or unit.installed(name) is None:
            continue
        try:
            other = definition.read(session.root, name)
        except AnankeError:
            continue
        if other.values["port"] is not None and other.address[1] == port:
            raise AnankeError(
                Exit.PORT_TAKEN,
                f"Port {port} is the one of the container {name}.",
                f"Choose another in {found.file}, or with --port.",
            )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = found.values["port"].rpartition(":")[0].strip("[]")
    with socket.socket(family) as probe:
        # A connection that ended a moment ago does not hold a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bound, port))
        except OSError as error:
            raise AnankeError(
                Exit.PORT_TAKEN,
                f"Port {found.values['port']} cannot be had: {error.strerror}.",
                f"Choose another in {found.file}, or with --port.",
            ) from error


def option(key: str) -> Any:
    """Return the command line's option for a key of the definition."""
    record = BY_KEY[key]
    return typer.Option(
        record.flag, help=record.help, metavar="VALUE", show_default="from config.py"
    )


def overrides(**values: Any) -> dict[str, Any]:
    """Return the values that the command line gave."""
    return {key: value for key, value in values.items() if value not in (None, [], ())}


def add_to(app: typer.Typer) -> None:
    """Add ``create`` to the command line."""

    @app.command("create", epilog=exit_codes(*EXIT_CODES))
    def command(
        *,
        name: Name = None,
        image_name: Annotated[str | None, option("image_name")] = None,
        port: Annotated[str | None, option("port")] = None,
        memory: Annotated[str | None, option("memory")] = None,
        cpus: Annotated[str | None, option("cpus")] = None,
        gpus: Annotated[list[str] | None, option("gpus")] = None,
        podman_args: Annotated[list[str] | None, option("podman_args")] = None,
        volumes: Annotated[list[str] | None, option("volumes")] = None,
        requires: Annotated[list[str] | None, option("requires")] = None,
        start: Annotated[
            bool, typer.Option("--start/--no-start", help="Start it, and wait for the hub.")
        ] = True,
        linger: Annotated[
            bool,
            typer.Option(
                "--linger/--no-linger",
                help="See to it that the hub runs while you are signed out.",
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
        given = overrides(
            image_name=image_name,
            port=port,
            memory=memory,
            cpus=cpus,
            gpus=gpus,
            podman_args=podman_args,
            volumes=volumes,
            requires=requires,
        )
        run(
            lambda session: create(
                session, name, given, start=start, linger=linger, wait_seconds=wait
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
