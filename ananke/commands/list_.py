"""``ananke list``: the containers of this folder, and the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import definition, hubs, unit
from ananke.context import CommandContext, Directory, Json, run
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.result import Result, make_table
from ananke.times import to_iso, to_local

NOT_CREATED = "not created"


@dataclass(frozen=True, slots=True)
class Container:
    """A definition and its container, if there is one. ``error`` says what is wrong with it."""

    name: str
    state: str
    port: str
    image: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image on this host. ``created_at`` is ISO 8601 in UTC."""

    name: str
    id: str
    size: int
    created_at: str


@dataclass(frozen=True, slots=True)
class Listing(Result):
    """All containers, or all images (the other field is None)."""

    containers: list[Container] | None
    images: list[Image] | None

    def render(self) -> RenderableType:
        """Return a table."""
        if self.images is not None:
            rows = [
                (i.name, i.id[:12], format_size(i.size), to_local(i.created_at))
                for i in self.images
            ]
            return make_table(("image", "id", "size", "created"), rows)
        if not self.containers:
            return Text("There is no container definition here. Make one with: ananke new NAME")
        table = make_table(
            ("container", "state", "port", "image"),
            [(c.name, c.state, c.port, c.image) for c in self.containers],
        )
        errors = [Text(c.error, style="yellow") for c in self.containers if c.error]
        return Group(table, *errors)


def format_size(size: int) -> str:
    """Return a size for people, in decimal units."""
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.0f} MB"


def list_containers(context: CommandContext) -> Listing:
    """Return the containers of this folder; invalid definitions are listed with their error."""
    found = []
    for name in definition.list_names(context.root):
        is_created = unit.find_installed(name) is not None
        state = hubs.read_unit_state(context.podman, name) if is_created else NOT_CREATED
        try:
            read = (
                hubs.read_created_definition(context, name)
                if is_created
                else definition.read_definition(context.root, name)
            )
        except AnankeError as error:
            found.append(Container(name, state, "", "", error.message))
            continue
        port, image = (str(read.values[key] or "") for key in ("port", "image_name"))
        found.append(Container(name, state, port, image))
    return Listing(containers=found, images=None)


def list_images(context: CommandContext) -> Listing:
    """Return the images that Podman has."""
    answer: list[dict[str, Any]] = (
        context.podman.query_json(["podman", "images", "--format=json"]) or []
    )
    # Podman repeats an image with all its names for each of its names.
    found = {
        Image(
            name=name.removeprefix("localhost/"),
            id=str(item.get("Id", "")).removeprefix("sha256:"),
            size=int(item.get("Size", 0)),
            created_at=to_iso(item.get("Created") or item.get("CreatedAt")),
        )
        for item in answer
        for name in item.get("Names") or []
    }
    return Listing(containers=None, images=sorted(found, key=lambda image: image.name))


def register(app: typer.Typer) -> None:
    """Add ``list`` to the command line."""

    @app.command("list", epilog=describe_exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN))
    def command(
        *,
        show_images: Annotated[
            bool, typer.Option("--images", help="List images instead of containers.")
        ] = False,
        json: Json = False,
        directory: Directory = None,
    ) -> None:
        """List the containers of this folder and their states."""
        run(list_images if show_images else list_containers, json=json, directory=directory)
