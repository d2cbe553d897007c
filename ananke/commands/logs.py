"""``ananke logs``: the journal inside a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.mounts import HUB_UNIT
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Name, Session, run


@dataclass(frozen=True, slots=True)
class Logs(Result):
    """Lines of a journal, oldest first."""

    name: str
    lines: list[str]

    def human(self) -> RenderableType:
        """Return the lines as they are."""
        return Text("\n".join(self.lines))


def logs(
    session: Session, name: str | None, *, lines: int, of: str, follow: bool, boot: bool
) -> Logs:
    """Return the last lines, or show lines as they come until Ctrl-C (``follow``)."""
    found = session.name(name)
    hubs.created(found)
    if boot:
        argv = ["journalctl", "--user", f"--unit={unit.service(found)}"]
    else:
        argv = ["podman", "exec", found, "journalctl"]
        argv += [] if of == "all" else [f"--unit={of}"]
    argv += ["--no-pager", f"--lines={lines}"]
    if follow:
        if session.json:
            raise AnankeError(Exit.USAGE, "--follow has no end to answer at.", "Leave out --json.")
        session.podman.hand_over([*argv, "--follow"])
        return Logs(found, [])
    ran = session.podman.ask(argv)
    if not ran.ok:
        raise AnankeError(
            Exit.PODMAN,
            f"The journal of {found} cannot be read: is it running?",
            f"What the container said when it started: ananke logs {found} --boot",
            ran.err.strip(),
        )
    return Logs(found, ran.out.splitlines())


def add_to(app: typer.Typer) -> None:
    """Add ``logs`` to the command line."""

    @app.command("logs", epilog=exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND))
    def command(
        *,
        name: Name = None,
        lines: Annotated[int, typer.Option("--lines", "-l", min=1, help="How many lines.")] = 100,
        of: Annotated[
            str, typer.Option("--unit", "-u", help="Unit in the container; all for every one.")
        ] = HUB_UNIT,
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
        boot: Annotated[
            bool, typer.Option("--boot", help="The container's own start and end, on this host.")
        ] = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Show the log of a hub."""
        run(
            lambda session: logs(session, name, lines=lines, of=of, follow=follow, boot=boot),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
