"""``ananke restore``: a definition and its data from a backup, verified before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import checksums, definition, hubs
from ananke.commands import create
from ananke.commands.backup import helper, understood
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.options import BY_KEY
from ananke.podman import LONG_SECONDS
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Session, ordinary_user, run


@dataclass(frozen=True, slots=True)
class Restored(Result):
    """A definition that was restored, and its container where one was created."""

    name: str
    folder: Path
    made_at: str
    of: str
    container: create.Created | None

    def human(self) -> RenderableType:
        """Return what is where."""
        words = f"{self.folder} was restored from the backup of {self.of}, {self.made_at}."
        rest: RenderableType = (
            self.container.human() if self.container else Text(f"Then: ananke create {self.name}")
        )
        return Group(Text(words), rest)


def restore(
    session: Session,
    file: Path,
    name: str,
    overrides: dict[str, Any],
    *,
    sha256: str | None = None,
    make: bool = True,
    linger: bool = True,
) -> Restored:
    """Unpack a backup into a new definition, and create its container.

    Raises AnankeError, having made nothing, where the backup is damaged or the name is in
    use. A hub that does not come up is found later: its definition stays.
    """
    ordinary_user()
    folder = session.root / definition.FOLDER / definition.checked_name(name)
    if folder.exists() or folder.is_symlink():
        raise AnankeError(
            Exit.EXISTS,
            f"{folder} exists already.",
            "Restore under another name, or move that folder away.",
        )
    hubs.require_new(session, name)
    with checksums.opened(file) as archive:
        digest = checksums.expected(file, sha256)
        if digest is not None:
            checksums.verify(file, archive, digest)
        ran = session.podman.do_quietly(
            helper("unpack", str(folder)), seconds=LONG_SECONDS, stdin=archive
        )
    if session.dry_run:
        return Restored(name, folder, "", "", None)
    about = understood(ran)
    container = _created(session, name, overrides, linger=linger) if make else None
    return Restored(
        name=name,
        folder=folder,
        made_at=str(about.get("made_at", "")),
        of=str(about.get("definition", "")),
        container=container,
    )


def _created(
    session: Session, name: str, overrides: dict[str, Any], *, linger: bool
) -> create.Created:
    try:
        return create.create(session, name, overrides, linger=linger)
    except AnankeError as error:
        error.hint += f" The data were restored; what is left to do: ananke create {name}"
        raise


def add_to(app: typer.Typer) -> None:
    """Add ``restore`` to the command line."""

    @app.command("restore", epilog=exit_codes(*create.EXIT_CODES, Exit.CHECKSUM))
    def command(
        *,
        file: Annotated[Path, typer.Argument(help="The backup.")],
        name: Annotated[
            str | None, typer.Argument(help="Name of the restored container.", show_default=False)
        ] = None,
        port: Annotated[
            str | None,
            typer.Option(metavar="PORT", help=BY_KEY["port"].help, show_default="from the backup"),
        ] = None,
        image_name: Annotated[
            str | None,
            typer.Option("--image", help=BY_KEY["image_name"].help, show_default="from the backup"),
        ] = None,
        sha256: Annotated[
            str | None,
            typer.Option(
                metavar="SHA256",
                help="The checksum it shall have.",
                show_default="from FILE.sha256 where that exists",
            ),
        ] = None,
        make: Annotated[
            bool, typer.Option("--create/--no-create", help="Create and start the container.")
        ] = True,
        linger: Annotated[
            bool,
            typer.Option("--linger/--no-linger", help="As for ananke create."),
        ] = True,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Bring back a hub from a backup, here or on another host, under a new name."""
        run(
            lambda session: restore(
                session,
                file,
                name if name is not None else session.ask("Name of the container", "its name"),
                create.overrides(port=port, image_name=image_name),
                sha256=sha256,
                make=make,
                linger=linger,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
