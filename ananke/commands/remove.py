"""``ananke remove``: a container goes, its data stay unless they are to go too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.errors import Exit, exit_codes
from ananke.mounts import STATE
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Name, Session, Yes, ordinary_user, run


@dataclass(frozen=True, slots=True)
class Removed(Result):
    """A container that is gone. ``data`` is where its data are, None if they are gone too."""

    name: str
    data: Path | None

    def human(self) -> RenderableType:
        """Return what is left."""
        words = f"The container {self.name} was removed."
        rest = f" Its data stay in {self.data}." if self.data else " Its data were removed."
        return Text(words + rest)


def remove(session: Session, name: str | None, *, data: bool = False) -> Removed:
    """Stop and remove a container, after a question; with ``data`` its data as well."""
    ordinary_user()
    found = session.name(name)
    file = unit.installed(found) if data else hubs.created(found)
    folder = session.root / "containers" / found / STATE
    rest = f" and all its data in {folder}" if data else f" (its data in {folder} stay)"
    session.confirm(f"Remove the container {found}{rest}?")
    if file is not None:
        hubs.remove_unit(session, found, file)
    podman = session.podman
    for tag in (unit.current_tag(found), unit.previous_tag(found)):
        if podman.image_id(tag) is not None:
            podman.do(["podman", "untag", tag, tag])
    if data and folder.exists():
        # Most of it belongs to accounts of the container, which only podman can be.
        podman.do(["podman", "unshare", "rm", "-rf", "--", str(folder)])
    return Removed(name=found, data=None if data else folder)


def add_to(app: typer.Typer) -> None:
    """Add ``remove`` to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND, Exit.HOST, Exit.DECLINED)

    @app.command("remove", epilog=exit_codes(*codes))
    def command(
        *,
        name: Name = None,
        data: Annotated[
            bool, typer.Option("--data", help="Remove its data as well: homes, courses, grades.")
        ] = False,
        yes: Yes = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Remove a container. Its definition stays, and its data unless --data is given."""
        run(
            lambda session: remove(session, name, data=data),
            json=json,
            dry_run=dry_run,
            yes=yes,
            directory=directory,
        )
