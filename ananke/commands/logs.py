"""``ananke logs``: the journal inside a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.context import CommandContext, Directory, DryRun, Json, Name, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.mounts import HUB_UNIT
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class Logs(Result):
    """Lines of a journal, oldest first."""

    name: str
    lines: list[str]

    def render(self) -> RenderableType:
        """Return the lines as they are."""
        return Text("\n".join(self.lines))


def read_logs(
    context: CommandContext,
    name: str | None,
    *,
    lines: int,
    unit_name: str,
    follow: bool,
    boot: bool,
) -> Logs:
    """Return the last lines, or print lines as they arrive until Ctrl-C (``follow``)."""
    found = context.choose_name(name)
    hubs.require_created(found)
    if boot:
        argv = ["journalctl", "--user", f"--unit={unit.get_service_name(found)}"]
    else:
        if unit_name not in (HUB_UNIT, "all"):
            _require_unit(context, found, unit_name)
        argv = ["podman", "exec", found, "journalctl"]
        argv += [] if unit_name == "all" else [f"--unit={unit_name}"]
    argv += ["--no-pager", f"--lines={lines}"]
    if follow:
        if context.json:
            raise AnankeError(
                Exit.USAGE, "--follow and --json cannot be combined.", "Leave out one of them."
            )
        try:
            context.podman.run_interactive([*argv, "--follow"])
        except KeyboardInterrupt:
            # This is how following ends: there is nothing to say about it.
            raise typer.Exit(Exit.INTERRUPTED) from None
        return Logs(found, [])
    completed = context.podman.query(argv)
    if not completed.ok:
        raise AnankeError(
            Exit.PODMAN,
            f"Could not read the journal of {found}. Is the container running?",
            f"The log of its start is in: ananke logs {found} --boot",
            completed.stderr.strip(),
        )
    return Logs(found, completed.stdout.splitlines())


def _require_unit(context: CommandContext, name: str, unit_name: str) -> None:
    """Raise AnankeError for a unit that the container does not have, and never had.

    For journalctl that is no error, and the journal of an ended server's unit is still there.
    """
    podman = context.podman
    shown = podman.query(
        ["podman", "exec", name, "systemctl", "show", "--property=LoadState", "--value", unit_name]
    )
    if not shown.ok or set(shown.stdout.split()) - {"not-found"}:
        return
    journal = ["podman", "exec", name, "journalctl", f"--unit={unit_name}", "--quiet", "--lines=1"]
    entries = podman.query(journal)
    if entries.ok and not entries.stdout.strip():
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no unit {unit_name} in {name}, and its journal has none.",
            f"List the units with: ananke shell {name} -- systemctl list-units --all",
        )


def register(app: typer.Typer) -> None:
    """Add ``logs`` to the command line."""

    @app.command(
        "logs", epilog=describe_exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND)
    )
    def command(
        *,
        name: Name = None,
        lines: Annotated[int, typer.Option("--lines", "-l", min=1, help="Number of lines.")] = 100,
        unit_name: Annotated[
            str, typer.Option("--unit", "-u", help="Unit in the container, or all.")
        ] = HUB_UNIT,
        follow: Annotated[
            bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")
        ] = False,
        boot: Annotated[
            bool,
            typer.Option("--boot", help="Show how this host started and stopped the container."),
        ] = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Show the log of a hub."""
        run(
            lambda context: read_logs(
                context, name, lines=lines, unit_name=unit_name, follow=follow, boot=boot
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
