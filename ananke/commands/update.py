"""``ananke update``: a new image under the same data, and back by itself if it does not work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.commands.create import option
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit, exit_codes
from ananke.result import Result
from ananke.session import Directory, DryRun, Json, Name, Session, ordinary_user, run


@dataclass(frozen=True, slots=True)
class Updated(Result):
    """A container that runs on another image; ``changed`` is False where it did already."""

    name: str
    url: str
    image: str
    image_id: str
    previous_id: str
    changed: bool
    seconds: float

    def human(self) -> RenderableType:
        """Return what it runs on."""
        if not self.changed:
            return Text(
                f"{self.name} runs on {self.image} ({self.image_id[:12]}) already. "
                "Build or load a newer one first."
            )
        return Text(
            f"{self.name} runs on {self.image} ({self.image_id[:12]}): {self.url}\n"
            f"The image before, {self.previous_id[:12]}, is kept as "
            f"{unit.previous_tag(self.name)}."
        )


def update(
    session: Session,
    name: str | None,
    image: str | None,
    *,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> Updated:
    """Recreate a container from a newer image.

    Raises AnankeError with code 17 where the hub did not come up on it and the old image
    runs again, 14 where that one does not either.
    """
    ordinary_user()
    podman = session.podman
    found = hubs.applied(session, name)
    if image is not None:
        found = found.with_values({"image_name": image})
    current, previous = unit.current_tag(found.name), unit.previous_tag(found.name)
    new_id = hubs.require_image(podman, found.image)
    old_id = podman.image_id(current)
    if old_id is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"The image from which {found.name} was made is gone ({current}).",
            f"Create it anew, its data stay: ananke remove {found.name}, "
            f"then ananke create {found.name}.",
        )
    if new_id == old_id:
        return _updated(found, new_id, old_id, changed=False, seconds=0.0)
    # The name keeps the old image from being pruned. What had it comes back if we do.
    before_id = podman.image_id(previous)
    podman.do(["podman", "tag", old_id, previous])
    podman.do(["podman", "tag", new_id, current])
    try:
        hubs.start(session, found.name, verb="restart")
        seconds = hubs.wait(session, found, seconds=wait_seconds)
    except (AnankeError, KeyboardInterrupt) as error:
        _go_back(session, found, old_id, before_id, error)
    hubs.note_applied(session, found)
    return _updated(found, new_id, old_id, changed=True, seconds=seconds)


def _go_back(
    session: Session,
    found: Definition,
    old_id: str,
    before_id: str | None,
    error: BaseException,
) -> None:
    """Run the old image again, and raise AnankeError that tells of both.

    ``before_id`` is the image that was kept as the previous one.
    """
    why = f"{error.message}\n{error.details}".strip() if isinstance(error, AnankeError) else ""
    podman, previous = session.podman, unit.previous_tag(found.name)
    podman.do(["podman", "tag", old_id, unit.current_tag(found.name)])
    if before_id is None:
        podman.do(["podman", "untag", previous, previous])
    else:
        podman.do(["podman", "tag", before_id, previous])
    try:
        hubs.start(session, found.name, verb="restart")
        hubs.wait(session, found)
    except AnankeError as second:
        raise AnankeError(
            Exit.HUB_SILENT,
            f"{found.name} came up neither on {found.image} nor on the image before.",
            second.hint,
            f"{why}\n{second.details}",
        ) from error
    if isinstance(error, KeyboardInterrupt):
        raise error
    raise AnankeError(
        Exit.WENT_BACK,
        f"{found.name} did not come up on {found.image}. The old image runs again: "
        f"{hubs.url(found)}",
        "Nothing was lost. What it said is above; build or load another image, then try again.",
        why,
    ) from error


def _updated(
    found: Definition, new_id: str, old_id: str, *, changed: bool, seconds: float
) -> Updated:
    return Updated(
        name=found.name,
        url=hubs.url(found),
        image=found.image,
        image_id=new_id.removeprefix("sha256:"),
        previous_id=old_id.removeprefix("sha256:"),
        changed=changed,
        seconds=round(seconds, 1),
    )


def add_to(app: typer.Typer) -> None:
    """Add ``update`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.HUB_SILENT,
        Exit.HOST,
        Exit.WENT_BACK,
    )

    @app.command("update", epilog=exit_codes(*codes))
    def command(
        *,
        name: Name = None,
        image_name: Annotated[str | None, option("image_name")] = None,
        wait: Annotated[
            float, typer.Option(min=1, help="Seconds to wait for the hub.")
        ] = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Run a hub on a newer image with the same data; go back if it does not come up."""
        run(
            lambda session: update(session, name, image_name, wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
