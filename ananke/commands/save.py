"""``ananke save``: an image as a file with its checksum, for ``ananke load`` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import checksums, hubs
from ananke.commands.list_ import images, megabytes
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.podman import LONG_SECONDS
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Session, run


@dataclass(frozen=True, slots=True)
class Saved(Result):
    """An image file and its checksum."""

    image: str
    file: Path
    checksum_file: Path
    sha256: str
    size: int

    def human(self) -> RenderableType:
        """Return where they are."""
        return Text(
            f"{self.image} was saved to {self.file} ({megabytes(self.size)}), "
            f"its checksum to {self.checksum_file}."
        )


def save(session: Session, image: str | None, output: Path | None) -> Saved:
    """Save an image; a file is whole, or not there."""
    if image is None:
        names = [found.name for found in images(session).images or []]
        image = session.choose("Which image", names, "its name")
    hubs.require_image(session.podman, image)
    default = image.rpartition("/")[2].removesuffix(":latest").replace(":", "-")
    output = output or Path(f"{default}.tar")
    if output.exists():
        raise AnankeError(Exit.EXISTS, f"{output} exists already.", "Choose another --output.")
    part = output.with_name(f".{output.name}.part")
    digest, size = "", 0
    try:
        part.unlink(missing_ok=True)
        session.podman.do(
            ["podman", "save", "--format=docker-archive", f"--output={part}", image],
            seconds=LONG_SECONDS,
        )
        if not session.dry_run:
            with part.open("rb") as file:
                digest = checksums.of(file)
            size = part.stat().st_size
            checksums.write(output, digest)
            part.rename(output)
    except OSError as error:
        raise AnankeError(
            Exit.HOST,
            f"{output} cannot be written: {error.strerror}.",
            "Choose another --output, on a disk with space.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return Saved(image, output, checksums.beside(output), digest, size)


def add_to(app: typer.Typer) -> None:
    """Add ``save`` to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND, Exit.EXISTS, Exit.HOST)

    @app.command("save", epilog=exit_codes(*codes))
    def command(
        *,
        image: Annotated[
            str | None,
            typer.Argument(help="Image; asked for if left out.", show_default=False),
        ] = None,
        output: Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                metavar="FILE",
                help="Where to write it.",
                show_default="IMAGE.tar in the current folder",
            ),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Save an image to a file, and its checksum to FILE.sha256."""
        run(
            lambda session: save(session, image, output),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
