"""``ananke build``: images from ``images/NAME/Containerfile``."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke.commands.list_ import format_size
from ananke.context import CommandContext, Directory, DryRun, Json, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.result import Result, make_table

FOLDER = "images"
CONTAINERFILE = "Containerfile"
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?:localhost/)?([a-z0-9._-]+)", re.I | re.M)
_ARG = re.compile(r"^ARG\s+\w+=(?:localhost/)?([a-z0-9._-]+)(?::latest)?\s*$", re.I | re.M)


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One image: its id, its size in bytes, and how long the build took."""

    name: str
    id: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildResult(Result):
    """The images that were built, in this order, and the ids of those that were removed."""

    images: list[BuiltImage]
    removed: list[str] | None = None

    def render(self) -> RenderableType:
        """Return a table."""
        rows = [(i.name, i.id[:12], format_size(i.size), f"{i.seconds:.0f} s") for i in self.images]
        table = make_table(("image", "id", "size", "time"), rows)
        if self.removed is None:
            return table
        count = f"{len(self.removed)} image{'' if len(self.removed) == 1 else 's'}"
        ids = f": {', '.join(image_id[:12] for image_id in self.removed)}" if self.removed else ""
        line = Text(f"Removed {count} without a name that nothing used{ids}.")
        return Group(table, line) if rows else line


def list_containerfiles(root: Path) -> dict[str, Path]:
    """Return the Containerfiles of the images that can be built, by the image's name."""
    return {p.parent.name: p for p in sorted((root / FOLDER).glob(f"*/{CONTAINERFILE}"))}


def find_build_order(name: str, files: dict[str, Path]) -> list[str]:
    """Return an image, and before it those of ``files`` that it is based on."""
    text = files[name].read_text("utf-8", "replace")
    bases = [*_FROM.findall(text), *_ARG.findall(text)]
    first = next((base for base in bases if base in files and base != name), None)
    return [name] if first is None else [*find_build_order(first, files), name]


def build(
    context: CommandContext,
    names: list[str],
    *,
    build_args: list[str],
    podman_args: list[str],
    alone: bool,
    no_cache: bool,
    prune: bool = False,
) -> BuildResult:
    """Build images, after those that they are based on.

    With ``prune``, remove the images that lost their name to newer ones; without ``names``,
    only that.
    """
    if prune and not names:
        return BuildResult([], _prune(context))
    files = list_containerfiles(context.root)
    if not files:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There are no images to build below {context.root / FOLDER}.",
            "Run this in a clone of the repository, or load an image: ananke load FILE",
        )
    wanted = names or [context.choose("Which image", list(files), "its name")]
    for name in wanted:
        if name not in files:
            raise AnankeError(
                Exit.NOT_FOUND,
                f"There is no image {name!r} to build.",
                f"There are: {', '.join(files)}.",
            )
    for arg in build_args:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", arg, re.S):
            raise AnankeError(
                Exit.USAGE, f"--build-arg {arg!r} is not NAME=VALUE.", "For example: CONDA=0."
            )
    order = wanted if alone else [base for name in wanted for base in find_build_order(name, files)]
    built = []
    for name in dict.fromkeys(order):
        argv = ["podman", "build", f"--tag={name}", f"--file={files[name]}"]
        argv += [f"--build-arg={arg}" for arg in build_args]
        argv += ["--no-cache"] if no_cache else []
        start = time.monotonic()
        context.podman.run_streaming([*argv, *podman_args, str(context.root)], quiet=context.json)
        if context.dry_run:
            continue
        completed = context.podman.query(
            ["podman", "image", "inspect", "--format", "{{.Id}} {{.Size}}", name]
        )
        image_id, _, size = completed.stdout.strip().partition(" ")
        seconds = round(time.monotonic() - start, 1)
        built.append(BuiltImage(name, image_id.removeprefix("sha256:"), int(size or 0), seconds))
    return BuildResult(built, _prune(context) if prune else None)


def _prune(context: CommandContext) -> list[str]:
    """Remove images that have no name and that no container uses; return their ids.

    What a hub runs on, and what it would go back to, has a name.
    """
    completed = context.podman.run(["podman", "image", "prune", "--force"])
    return [line.strip().removeprefix("sha256:") for line in completed.stdout.split()]


def register(app: typer.Typer) -> None:
    """Add ``build`` to the command line."""

    @app.command(
        "build", epilog=describe_exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN, Exit.NOT_FOUND)
    )
    def command(
        *,
        names: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[IMAGE]...",
                help="Images to build; asked for if left out.",
                show_default=False,
            ),
        ] = None,
        build_args: Annotated[
            list[str] | None,
            typer.Option(
                "--build-arg",
                metavar="NAME=VALUE",
                help="Argument of the Containerfile, such as CONDA=0; can be repeated.",
            ),
        ] = None,
        podman_args: Annotated[
            list[str] | None,
            typer.Option(
                "--podman-arg",
                metavar="ARG",
                help="Extra argument for podman build, such as --volume=...; can be repeated.",
            ),
        ] = None,
        alone: Annotated[
            bool, typer.Option("--alone", help="Do not build base images first.")
        ] = False,
        no_cache: Annotated[
            bool, typer.Option("--no-cache", help="Do not use cached build steps.")
        ] = False,
        prune: Annotated[
            bool,
            typer.Option(
                "--prune",
                help="Also remove images that have lost their name to newer ones; without IMAGE, "
                "only that.",
            ),
        ] = False,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Build images, and first the images that they are based on."""
        run(
            lambda context: build(
                context,
                names or [],
                build_args=build_args or [],
                podman_args=podman_args or [],
                alone=alone,
                no_cache=no_cache,
                prune=prune,
            ),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
