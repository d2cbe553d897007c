"""``ananke restore``: a definition and its data from a verified backup."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import checksums, definition, hubs
from ananke.commands import create
from ananke.commands.backup import make_archive_command, parse_archive_output
from ananke.context import CommandContext, Directory, DryRun, Json, require_ordinary_user, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.locks import lock_container
from ananke.option_flags import Overrides, add_option_flags
from ananke.options import check_values
from ananke.podman import LONG_SECONDS
from ananke.result import Result
from ananke.times import to_iso, to_local


@dataclass(frozen=True, slots=True)
class RestoreResult(Result):
    """A restored definition, and its container if one was created.

    ``original_name`` and ``backed_up_at`` (ISO 8601 in UTC) come from the backup.
    """

    name: str
    folder: Path
    backed_up_at: str
    original_name: str
    container: create.CreateResult | None

    def render(self) -> RenderableType:
        """Return what was restored, and the next step."""
        headline = (
            f"Restored {self.folder} from the backup of {self.original_name} of "
            f"{to_local(self.backed_up_at)}."
        )
        rest: RenderableType = (
            self.container.render() if self.container else Text(f"Next: ananke create {self.name}")
        )
        return Group(Text(headline), rest)


def restore(
    context: CommandContext,
    file: Path,
    name: str,
    overrides: dict[str, Any],
    *,
    sha256: str | None = None,
    make: bool = True,
    linger: bool = True,
) -> RestoreResult:
    """Unpack a backup into a new definition, and create its container.

    Raises AnankeError, and changes nothing, if the backup is damaged or the name is in use.
    If only the hub does not answer in the end, the definition is kept.
    """
    require_ordinary_user()
    with lock_container(context, definition.check_name(name), "restore"):
        return _restore(context, file, name, overrides, sha256=sha256, make=make, linger=linger)


def _restore(
    context: CommandContext,
    file: Path,
    name: str,
    overrides: dict[str, Any],
    *,
    sha256: str | None,
    make: bool,
    linger: bool,
) -> RestoreResult:
    folder = context.root / definition.FOLDER / name
    if folder.exists() or folder.is_symlink():
        raise AnankeError(
            Exit.EXISTS,
            f"{folder} already exists.",
            "Restore under another name, or move that folder away.",
        )
    checked = check_values(overrides)
    hubs.require_new(context, name)
    with checksums.open_file(file) as archive:
        digest = checksums.find_expected(file, sha256)
        if digest is not None:
            checksums.verify_checksum(file, archive, digest)
        completed = context.podman.try_run(
            make_archive_command("unpack", str(folder)), seconds=LONG_SECONDS, stdin=archive
        )
    if context.dry_run:
        return RestoreResult(name, folder, "", "", None)
    manifest = parse_archive_output(completed)
    hubs.write_definition_values(context, folder, checked)
    container = _create_container(context, name, overrides, linger=linger) if make else None
    return RestoreResult(
        name=name,
        folder=folder,
        backed_up_at=to_iso(manifest.get("made_at")),
        original_name=str(manifest.get("definition", "")),
        container=container,
    )


def _create_container(
    context: CommandContext, name: str, overrides: dict[str, Any], *, linger: bool
) -> create.CreateResult:
    try:
        return create.create(context, name, overrides, linger=linger)
    except AnankeError as error:
        error.hint += f" The data is restored; next: ananke create {name}"
        raise


def register(app: typer.Typer) -> None:
    """Add ``restore`` to the command line."""

    @app.command("restore", epilog=describe_exit_codes(*create.EXIT_CODES, Exit.CHECKSUM))
    @add_option_flags("port", "image_name", default_from="the backup")
    def command(
        *,
        file: Annotated[Path, typer.Argument(help="The backup.")],
        name: Annotated[
            str | None, typer.Argument(help="Name of the restored container.", show_default=False)
        ] = None,
        overrides: Overrides,
        sha256: Annotated[
            str | None,
            typer.Option(
                metavar="SHA256",
                help="The expected checksum.",
                show_default="from FILE.sha256 if that exists",
            ),
        ] = None,
        make: Annotated[
            bool, typer.Option("--create/--no-create", help="Create and start the container.")
        ] = True,
        linger: Annotated[
            bool,
            typer.Option("--linger/--no-linger", help="As in ananke create."),
        ] = True,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Restore a hub from a backup under a new name, here or on another host."""
        run(
            lambda context: restore(
                context,
                file,
                name if name is not None else context.ask("Name of the container", "its name"),
                overrides,
                sha256=sha256,
                make=make,
                linger=linger,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
