"""``ananke save``: an image as a file with its checksum, for ``ananke load`` elsewhere."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import checksums, hubs
from ananke.commands.list_ import format_size, list_images
from ananke.context import CommandContext, Directory, DryRun, Json, run
from ananke.disks import is_full, make_full_error
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.podman import LONG_SECONDS
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class SaveResult(Result):
    """An image file and its checksum."""

    image: str
    file: Path
    checksum_file: Path
    sha256: str
    size: int

    def render(self) -> RenderableType:
        """Return the names of the files."""
        return Text(
            f"Saved {self.image} to {self.file} ({format_size(self.size)}), "
            f"and its checksum to {self.checksum_file}."
        )


def save(context: CommandContext, image: str | None, output: Path | None) -> SaveResult:
    """Save an image; the file is complete or does not exist."""
    if image is None:
        names = [found.name for found in list_images(context).images or []]
        image = context.choose("Which image", names, "its name")
    hubs.require_image(context.podman, image)
    default = image.rpartition("/")[2].removesuffix(":latest").replace(":", "-")
    output = output or Path(f"{default}.tar")
    if output.exists():
        raise AnankeError(Exit.EXISTS, f"{output} already exists.", "Choose another --output.")
    if not output.parent.is_dir():
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no folder {output.parent}.",
            "Create it, or choose another --output.",
        )
    digest, size = "", 0
    try:
        # A folder of its own: another save to the same name must not touch this one's file.
        with tempfile.TemporaryDirectory(prefix=".ananke-", dir=output.parent) as stage:
            partial = Path(stage) / output.name
            context.podman.run(
                ["podman", "save", "--format=docker-archive", f"--output={partial}", image],
                seconds=LONG_SECONDS,
            )
            if not context.dry_run:
                with partial.open("rb") as file:
                    digest = checksums.compute_sha256(file)
                size = partial.stat().st_size
                checksums.write_checksum(output, digest)
                partial.rename(output)
    except AnankeError as error:
        if "no space left" in error.details.lower():
            raise make_full_error(output) from error
        raise
    except OSError as error:
        if is_full(error):
            raise make_full_error(output) from error
        raise AnankeError(
            Exit.HOST,
            f"Could not write {output}: {error.strerror}.",
            "Choose another --output, on a disk with free space.",
        ) from error
    return SaveResult(image, output, checksums.get_checksum_path(output), digest, size)


def register(app: typer.Typer) -> None:
    """Add ``save`` to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND, Exit.EXISTS, Exit.HOST)

    @app.command("save", epilog=describe_exit_codes(*codes))
    def command(
        *,
        image: Annotated[
            str | None,
            typer.Argument(help="Image to save; asked for if left out.", show_default=False),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                metavar="FILE",
                help="Where to write the image.",
                show_default="IMAGE.tar in the current folder",
            ),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Save an image to a file, and its checksum to FILE.sha256."""
        run(
            lambda context: save(context, image, output),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
