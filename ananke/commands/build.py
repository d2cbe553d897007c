"""``ananke build``: images from ``images/NAME/Containerfile``."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from ananke.commands.list_ import megabytes
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.result import Result, table
from ananke.session import Directory, DryRun, Json, Session, run

FOLDER = "images"
FILE = "Containerfile"
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?:localhost/)?([a-z0-9._-]+)", re.I | re.M)
_ARG = re.compile(r"^ARG\s+\w+=(?:localhost/)?([a-z0-9._-]+)(?::latest)?\s*$", re.I | re.M)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One image, its id and size in bytes, and how long it took."""

    name: str
    id: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Built(Result):
    """The images that were built, in that order."""

    images: list[BuiltImage]

    def human(self) -> RenderableType:
        """Return a table."""
        rows = [(i.name, i.id[:12], megabytes(i.size), f"{i.seconds:.0f} s") for i in self.images]
        return table(("image", "id", "size", "took"), rows)


def known(root: Path) -> dict[str, Path]:
    """Return the images that can be built: their names and their Containerfiles."""
    return {p.parent.name: p for p in sorted((root / FOLDER).glob(f"*/{FILE}"))}


def in_order(name: str, files: dict[str, Path]) -> list[str]:
    """Return an image and before it those of ``files`` that it is made from."""
    text = files[name].read_text("utf-8", "replace")
    bases = [*_FROM.findall(text), *_ARG.findall(text)]
    first = next((base for base in bases if base in files and base != name), None)
    return [name] if first is None else [*in_order(first, files), name]


def build(
    session: Session,
    names: list[str],
    *,
    build_args: list[str],
    podman_args: list[str],
    alone: bool,
    no_cache: bool,
) -> Built:
    """Build images, those that they are made from first."""
    files = known(session.root)
    if not files:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There are no images to build below {session.root / FOLDER}.",
            "Work in a clone of the repository, or load an image: ananke load FILE",
        )
    wanted = names or [session.choose("Which image", list(files), "its name")]
    for name in wanted:
        if name not in files:
            raise AnankeError(
                Exit.NOT_FOUND, f"There is no image {name!r}.", f"There are: {', '.join(files)}."
            )
    for arg in build_args:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", arg, re.S):
            raise AnankeError(
                Exit.USAGE, f"--build-arg {arg!r} is not NAME=VALUE.", "For example CONDA=0."
            )
    order = wanted if alone else [base for name in wanted for base in in_order(name, files)]
    made = []
    for name in dict.fromkeys(order):
        argv = ["podman", "build", f"--tag={name}", f"--file={files[name]}"]
        argv += [f"--build-arg={arg}" for arg in build_args]
        argv += ["--no-cache"] if no_cache else []
        began = time.monotonic()
        session.podman.show([*argv, *podman_args, str(session.root)], quiet=session.json)
        if session.dry_run:
            continue
        ran = session.podman.ask(
            ["podman", "image", "inspect", "--format", "{{.Id}} {{.Size}}", name]
        )
        image_id, _, size = ran.out.strip().partition(" ")
        took = round(time.monotonic() - began, 1)
        made.append(BuiltImage(name, image_id.removeprefix("sha256:"), int(size or 0), took))
    return Built(made)


def add_to(app: typer.Typer) -> None:
    """Add ``build`` to the command line."""

    @app.command("build", epilog=exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND))
    def command(
        *,
        names: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[IMAGE]...", help="Images; asked for if left out.", show_default=False
            ),
        ] = None,
        build_args: Annotated[
            list[str] | None,
            typer.Option(
                "--build-arg",
                metavar="NAME=VALUE",
                help="Argument of the Containerfile, such as CONDA=0; may be given again.",
            ),
        ] = None,
        podman_args: Annotated[
            list[str] | None,
            typer.Option(
                "--podman-arg",
                metavar="ARG",
                help="Further argument to podman build, such as --volume=...; may be given again.",
            ),
        ] = None,
        alone: Annotated[
            bool, typer.Option("--alone", help="Do not build the images that it is made from.")
        ] = False,
        no_cache: Annotated[
            bool, typer.Option("--no-cache", help="Build every step anew.")
        ] = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Build images, and before them those that they are made from."""
        run(
            lambda session: build(
                session,
                names or [],
                build_args=build_args or [],
                podman_args=podman_args or [],
                alone=alone,
                no_cache=no_cache,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
