"""``ananke list``: the containers of this folder, and the images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from ananke import definition, hubs, unit
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.result import Result, table
from ananke.session import Directory, Json, Session, run

NOT_CREATED = "not created"


@dataclass(frozen=True, slots=True)
class Container:
    """A definition, and its container as far as there is one. ``trouble`` is in words."""

    name: str
    state: str
    port: str
    image: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is here."""

    name: str
    id: str
    size: int
    created: str


@dataclass(frozen=True, slots=True)
class Listing(Result):
    """All containers, or all images (the other is None)."""

    containers: list[Container] | None
    images: list[Image] | None

    def human(self) -> RenderableType:
        """Return a table."""
        if self.images is not None:
            rows = [(i.name, i.id[:12], megabytes(i.size), i.created) for i in self.images]
            return table(("image", "id", "size", "made"), rows)
        if not self.containers:
            return Text("There is no container definition. Make one with: ananke new NAME")
        made = table(
            ("container", "state", "port", "image"),
            [(c.name, c.state, c.port, c.image) for c in self.containers],
        )
        troubles = [Text(c.trouble, style="yellow") for c in self.containers if c.trouble]
        return Group(made, *troubles)


def megabytes(size: int) -> str:
    """Return a size for people, in the units that disks are sold in."""
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.0f} MB"


def containers(session: Session) -> Listing:
    """Return the containers of this folder. A definition that is wrong is told, not refused."""
    found = []
    for name in definition.names(session.root):
        is_created = unit.installed(name) is not None
        state = hubs.state(session.podman, name) if is_created else NOT_CREATED
        try:
            read = (
                hubs.applied(session, name) if is_created else definition.read(session.root, name)
            )
        except AnankeError as error:
            found.append(Container(name, state, "", "", error.message))
            continue
        port, image = (str(read.values[key] or "") for key in ("port", "image_name"))
        found.append(Container(name, state, port, image))
    return Listing(containers=found, images=None)


def images(session: Session) -> Listing:
    """Return the images that Podman has."""
    answer: list[dict[str, Any]] = (
        session.podman.ask_json(["podman", "images", "--format=json"]) or []
    )
    found = [
        Image(
            name=name.removeprefix("localhost/"),
            id=str(item.get("Id", "")).removeprefix("sha256:"),
            size=int(item.get("Size", 0)),
            created=str(item.get("CreatedAt", ""))[:19],
        )
        for item in answer
        for name in item.get("Names") or []
    ]
    return Listing(containers=None, images=sorted(found, key=lambda image: image.name))


def add_to(app: typer.Typer) -> None:
    """Add ``list`` to the command line."""

    @app.command("list", epilog=exit_codes(Exit.SOFTWARE_MISSING, Exit.PODMAN))
    def command(
        *,
        show_images: Annotated[
            bool, typer.Option("--images", help="List images instead of containers.")
        ] = False,
        json: Json = False,
        directory: Directory = None,
    ) -> None:
        """List the containers of this folder and what they are doing."""
        run(images if show_images else containers, json=json, directory=directory)
