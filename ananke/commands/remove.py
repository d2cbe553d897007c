"""``ananke remove``: remove a container and, only with ``--data``, its data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.context import (
    CommandContext,
    Directory,
    DryRun,
    Json,
    Name,
    Yes,
    require_ordinary_user,
    run,
)
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.locks import lock_container
from ananke.mounts import STATE
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class RemoveResult(Result):
    """A removed container. ``data`` is the folder of its data, None if that was removed too."""

    name: str
    data: Path | None

    def render(self) -> RenderableType:
        """Return what was removed and what is left."""
        if self.data:
            return Text(f"Removed the container {self.name}. Its data is kept in {self.data}.")
        return Text(f"Removed the container {self.name} and its data.")


def remove(context: CommandContext, name: str | None, *, data: bool = False) -> RemoveResult:
    """Stop and remove a container after a confirmation; with ``data``, its data as well."""
    require_ordinary_user()
    found = context.choose_name(name)
    file = unit.find_installed(found) if data else hubs.require_created(found)
    folder = context.root / "containers" / found / STATE
    if file is None and not folder.exists():
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is nothing to remove: {found} has neither a container nor data.",
            f"Its definition is kept; remove it by hand: {folder.parent}",
        )
    rest = f" and all its data in {folder}" if data else f" (its data in {folder} is kept)"
    context.confirm(f"Remove the container {found}{rest}?")
    with lock_container(context, found, "remove"):
        _remove(context, found, folder if data else None)
    return RemoveResult(name=found, data=None if data else folder)


def _remove(context: CommandContext, name: str, data: Path | None) -> None:
    file = unit.find_installed(name)
    if file is not None:
        hubs.remove_unit(context, name, file)
    podman = context.podman
    for tag in (unit.get_current_tag(name), unit.get_previous_tag(name)):
        if podman.find_image_id(tag) is not None:
            podman.run(["podman", "untag", tag, tag])
    if data is not None and data.exists():
        # Most files belong to accounts of the container; only podman can act for these.
        podman.run(["podman", "unshare", "rm", "-rf", "--", str(data)])


def register(app: typer.Typer) -> None:
    """Add ``remove`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.STATE_IN_USE,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.HOST,
        Exit.DECLINED,
    )

    @app.command("remove", epilog=describe_exit_codes(*codes))
    def command(
        *,
        name: Name = None,
        data: Annotated[
            bool, typer.Option("--data", help="Also remove its data: homes, courses, grades.")
        ] = False,
        yes: Yes = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Remove a container. Its definition is kept, and its data too unless --data is given."""
        run(
            lambda context: remove(context, name, data=data),
            json=json,
            dry_run=dry_run,
            yes=yes,
            directory=directory,
        )
