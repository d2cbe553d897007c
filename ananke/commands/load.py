"""``ananke load``: an image from a file whose checksum is verified first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import checksums
from ananke.context import CommandContext, Directory, DryRun, Json, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.podman import LONG_SECONDS
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class LoadResult(Result):
    """The images that a file contained."""

    file: Path
    sha256: str
    images: list[str]

    def render(self) -> RenderableType:
        """Return their names."""
        return Text(
            f"Loaded from {self.file} (checksum verified): {', '.join(self.images) or 'no image'}."
        )


def load(
    context: CommandContext, file: Path, *, sha256: str | None, checksum_file: Path | None
) -> LoadResult:
    """Load an image file; raises AnankeError if its checksum is wrong or unknown."""
    with checksums.open_file(file) as archive:
        digest = checksums.find_expected(file, sha256, checksum_file)
        if digest is None:
            raise AnankeError(
                Exit.CHECKSUM,
                f"The checksum of {file} is unknown: there is no "
                f"{checksums.get_checksum_path(file).name}.",
                "Get the checksum from where you got the image, and give it with --sha256 or "
                "--checksum-file.",
            )
        checksums.verify_checksum(file, archive, digest)
        # Pass the open file that was verified, not its name: the name may have been reused.
        completed = context.podman.run(["podman", "load"], seconds=LONG_SECONDS, stdin=archive)
    images = re.findall(r"^Loaded image(?:\(s\))?: *(.+)$", completed.stdout, re.M)
    names = [name.strip().removeprefix("localhost/") for line in images for name in line.split(",")]
    return LoadResult(file=file, sha256=digest, images=names)


def register(app: typer.Typer) -> None:
    """Add ``load`` to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND, Exit.CHECKSUM)

    @app.command("load", epilog=describe_exit_codes(*codes))
    def command(
        *,
        file: Annotated[Path, typer.Argument(help="Image file, as ananke save writes it.")],
        sha256: Annotated[
            str | None,
            typer.Option(
                metavar="SHA256",
                help="The expected checksum.",
                show_default="from FILE.sha256",
            ),
        ] = None,
        checksum_file: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="Output of sha256sum that contains the checksum."),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Load an image from a file, after verifying its checksum."""
        run(
            lambda context: load(context, file, sha256=sha256, checksum_file=checksum_file),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
