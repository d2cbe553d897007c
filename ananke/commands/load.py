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
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.podman import LONG_SECONDS
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Session, run


@dataclass(frozen=True, slots=True)
class Loaded(Result):
    """Images that a file held."""

    file: Path
    sha256: str
    images: list[str]

    def human(self) -> RenderableType:
        """Return their names."""
        return Text(f"Loaded from {self.file}, verified: {', '.join(self.images) or 'no image'}.")


def load(session: Session, file: Path, *, sha256: str | None, checksum_file: Path | None) -> Loaded:
    """Load an image file; raises AnankeError where its checksum is wrong or unknown."""
    with checksums.opened(file) as archive:
        digest = checksums.expected(file, sha256, checksum_file)
        if digest is None:
            raise AnankeError(
                Exit.CHECKSUM,
                f"Nothing says what {file} should be: there is no {checksums.beside(file).name}.",
                "Get its checksum from where the image is from, and give --sha256 or "
                "--checksum-file.",
            )
        checksums.verify(file, archive, digest)
        # The file that was verified, not what may have its name by now.
        ran = session.podman.do(["podman", "load"], seconds=LONG_SECONDS, stdin=archive)
    images = re.findall(r"^Loaded image(?:\(s\))?: *(.+)$", ran.out, re.M)
    names = [name.strip().removeprefix("localhost/") for line in images for name in line.split(",")]
    return Loaded(file=file, sha256=digest, images=names)


def add_to(app: typer.Typer) -> None:
    """Add ``load`` to the command line."""
    codes = (Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND, Exit.CHECKSUM)

    @app.command("load", epilog=exit_codes(*codes))
    def command(
        *,
        file: Annotated[Path, typer.Argument(help="Image file, as ananke save writes it.")],
        sha256: Annotated[
            str | None,
            typer.Option(
                metavar="SHA256",
                help="The checksum it shall have.",
                show_default="from FILE.sha256",
            ),
        ] = None,
        checksum_file: Annotated[
            Path | None,
            typer.Option(metavar="FILE", help="A file of sha256sum that names it."),
        ] = None,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Load an image from a file, if its checksum is right."""
        run(
            lambda session: load(session, file, sha256=sha256, checksum_file=checksum_file),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
