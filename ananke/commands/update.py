"""``ananke update``: a new image with the same data, rolled back if it does not work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from ananke import hubs, unit
from ananke.context import CommandContext, Directory, DryRun, Json, Name, require_ordinary_user, run
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit, describe_exit_codes
from ananke.locks import lock_container
from ananke.option_flags import Overrides, add_option_flags
from ananke.result import Result


@dataclass(frozen=True, slots=True)
class UpdateResult(Result):
    """The image that a container runs on; ``changed`` is False if it already did.

    ``defined_image`` is the one in ``config.py``, which ``ananke create`` would take.
    """

    name: str
    url: str
    image: str
    image_id: str
    previous_id: str
    changed: bool
    seconds: float
    defined_image: str

    def render(self) -> RenderableType:
        """Return the image that it runs on."""
        if not self.changed:
            advice = (
                "Build or load a newer image first."
                if self.defined_image == self.image
                else f"Its config.py names {self.defined_image}; to change to it: "
                f"ananke update {self.name} --image {self.defined_image}"
            )
            return Text(
                f"{self.name} already runs on {self.image} ({self.image_id[:12]}). {advice}"
            )
        return Text(
            f"{self.name} now runs on {self.image} ({self.image_id[:12]}): {self.url}\n"
            f"The previous image, {self.previous_id[:12]}, is kept as "
            f"{unit.get_previous_tag(self.name)}."
        )


def update(
    context: CommandContext,
    name: str | None,
    overrides: Overrides,
    *,
    wait_seconds: float = hubs.HUB_SECONDS,
) -> UpdateResult:
    """Recreate a container from a newer image.

    Raises AnankeError with code 17 if the hub did not start on it and the old image runs
    again, and with code 14 if the old image did not start either.
    """
    require_ordinary_user()
    found = hubs.read_created_definition(context, name).with_values(overrides)
    with lock_container(context, found.name, "update"):
        done = _update(context, found, wait_seconds)
        given = {key: found.values[key] for key in overrides}
        hubs.write_definition_values(context, found.folder, given)
    defined = found.image if overrides else context.read_definition(found.name).image
    return replace(done, defined_image=defined)


def _update(context: CommandContext, found: Definition, wait_seconds: float) -> UpdateResult:
    podman = context.podman
    current, previous = unit.get_current_tag(found.name), unit.get_previous_tag(found.name)
    new_id = hubs.require_image(podman, found.image)
    old_id = podman.find_image_id(current)
    if old_id is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"The image that {found.name} runs on is gone ({current}).",
            f"Create the container again; its data is kept: ananke remove {found.name}, "
            f"then ananke create {found.name}.",
        )
    if new_id == old_id:
        return _make_result(found, new_id, old_id, changed=False, seconds=0.0)
    # The tag keeps the old image from being pruned. A rollback restores what had it before.
    before_id = podman.find_image_id(previous)
    podman.run(["podman", "tag", old_id, previous])
    podman.run(["podman", "tag", new_id, current])
    try:
        hubs.start_unit(context, found.name, verb="restart")
        seconds = hubs.wait_for_hub(context, found, seconds=wait_seconds)
    except (AnankeError, KeyboardInterrupt) as error:
        _roll_back(context, found, old_id, before_id, error)
    hubs.save_created_values(context, found)
    return _make_result(found, new_id, old_id, changed=True, seconds=seconds)


def _roll_back(
    context: CommandContext,
    found: Definition,
    old_id: str,
    before_id: str | None,
    error: BaseException,
) -> None:
    """Run the old image again, and raise AnankeError about both images.

    ``before_id`` is the image that was kept as the previous one before this update.
    """
    cause = f"{error.message}\n{error.details}".strip() if isinstance(error, AnankeError) else ""
    podman, previous = context.podman, unit.get_previous_tag(found.name)
    podman.run(["podman", "tag", old_id, unit.get_current_tag(found.name)])
    if before_id is None:
        podman.run(["podman", "untag", previous, previous])
    else:
        podman.run(["podman", "tag", before_id, previous])
    try:
        hubs.start_unit(context, found.name, verb="restart")
        hubs.wait_for_hub(context, found)
    except AnankeError as second:
        raise AnankeError(
            Exit.HUB_NOT_ANSWERING,
            f"{found.name} started neither on {found.image} nor on the previous image.",
            second.hint,
            f"{cause}\n{second.details}",
        ) from error
    if isinstance(error, KeyboardInterrupt):
        raise AnankeError(
            Exit.INTERRUPTED,
            f"Interrupted. The old image of {found.name} runs again: {hubs.get_hub_url(found)}",
            "No data was lost.",
        ) from error
    raise AnankeError(
        Exit.ROLLED_BACK,
        f"{found.name} did not start on {found.image}. The old image runs again: "
        f"{hubs.get_hub_url(found)}",
        "No data was lost. The log is above; build or load another image and try again.",
        cause,
    ) from error


def _make_result(
    found: Definition, new_id: str, old_id: str, *, changed: bool, seconds: float
) -> UpdateResult:
    return UpdateResult(
        name=found.name,
        url=hubs.get_hub_url(found),
        image=found.image,
        image_id=new_id.removeprefix("sha256:"),
        previous_id=old_id.removeprefix("sha256:"),
        changed=changed,
        seconds=round(seconds, 1),
        defined_image=found.image,
    )


def register(app: typer.Typer) -> None:
    """Add ``update`` to the command line."""
    codes = (
        Exit.SOFTWARE_MISSING,
        Exit.STATE_IN_USE,
        Exit.DEFINITION,
        Exit.PODMAN,
        Exit.NOT_FOUND,
        Exit.HUB_NOT_ANSWERING,
        Exit.HOST,
        Exit.ROLLED_BACK,
    )

    @app.command("update", epilog=describe_exit_codes(*codes))
    @add_option_flags("image_name", default_from="the last update")
    def command(
        *,
        name: Name = None,
        overrides: Overrides,
        wait: Annotated[
            float, typer.Option(min=1, help="Seconds to wait for the hub.")
        ] = hubs.HUB_SECONDS,
        json: Json = False,
        dry_run: DryRun = False,
        directory: Directory = None,
    ) -> None:
        """Run a hub on a newer image with the same data; roll back if it does not start."""
        run(
            lambda context: update(context, name, overrides, wait_seconds=wait),
            json=json,
            dry_run=dry_run,
            directory=directory,
        )
