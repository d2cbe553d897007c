"""A hub's container as a whole: its unit, its image, and waiting until the hub answers."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ananke import hubconfig, templates, unit
from ananke.context import CommandContext
from ananke.definition import CONFIG, Definition
from ananke.errors import AnankeError, Exit
from ananke.mounts import HUB_UNIT, MOUNTS, STATE
from ananke.options import BY_KEY
from ananke.podman import Podman

HUB_SECONDS = 180.0
_POLL_SECONDS = 0.5
_TIMEOUT_SECONDS = 5.0
_LOG_LINES = 15
_CREATED_VALUES = f"{STATE}/created.json"
_SELINUX_ENFORCE = Path("/sys/fs/selinux/enforce")
# Direct connections: the machine's web proxy cannot reach its loopback addresses.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get_hub_url(definition: Definition) -> str:
    """Return the hub's URL on this host, with a slash at the end."""
    host, port = definition.address
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}{hubconfig.find_base_url(definition)}"


def is_answering(definition: Definition) -> bool:
    """Whether the hub answers on this host."""
    try:
        with _http.open(f"{get_hub_url(definition)}hub/health", timeout=_TIMEOUT_SECONDS) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException, urllib.error.URLError):
        return False


def require_created(name: str) -> Path:
    """Return the file of a container's unit; raises AnankeError if there is none."""
    file = unit.find_installed(name)
    if file is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"The container {name} has not been created.",
            f"Create it with: ananke create {name}",
        )
    return file


def read_created_definition(context: CommandContext, name: str | None) -> Definition:
    """Return a created container's definition, with the values that it was created with.

    Raises AnankeError if it has not been created.
    """
    found = context.read_definition(name)
    require_created(found.name)
    file = found.folder / _CREATED_VALUES
    try:
        values = json.loads(file.read_text("utf-8"))
        known = {key: values[key] for key in BY_KEY if values.get(key) is not None}
    except (OSError, ValueError, AttributeError):
        # The unit was made by hand, or by an old restore: config.py is the best source left.
        known = {}
    created = found.with_values(known, source=str(file))
    created.require_complete()
    return created


def save_created_values(context: CommandContext, definition: Definition) -> None:
    """Save the values with which a container is created."""
    text = json.dumps(dict(definition.values), indent=1) + "\n"
    context.steps.write_file(definition.folder / _CREATED_VALUES, text)


def write_definition_values(
    context: CommandContext, folder: Path, values: Mapping[str, Any]
) -> None:
    """Write checked values of the command line into a definition, for commands that come later.

    Raises AnankeError.
    """
    file = folder / CONFIG
    if not values or not context.steps.record(f"write {file}"):
        return
    try:
        # A restored definition may come from anywhere: its link must not lead us elsewhere.
        text = templates.replace_values(file.read_bytes(), values) if not file.is_symlink() else b""
        if text:
            file.write_bytes(text)
            return
        reason = "it is a link"
    except (OSError, SyntaxError, ValueError) as error:
        reason = str(error)
    given = ", ".join(f"{key} is now {value!r}" for key, value in values.items())
    raise AnankeError(
        Exit.DEFINITION, f"Could not write into {file}: {reason}.", f"Correct it: {given}."
    )


def require_new(context: CommandContext, name: str) -> None:
    """Raise AnankeError if a unit or a container of this name exists."""
    file = unit.find_installed(name)
    if file is not None:
        raise AnankeError(
            Exit.EXISTS,
            f"The container {name} already exists ({file}).",
            f"Remove it first; its data is kept: ananke remove {name}",
        )
    if context.podman.inspect_container(name) is not None:
        raise AnankeError(
            Exit.EXISTS,
            f"Podman has a container {name} that ananke did not create.",
            f"Choose another name, or remove it: podman rm {name}",
        )


def require_image(podman: Podman, image: str) -> str:
    """Return the id of an image; raises AnankeError if it is not on this host."""
    found = podman.find_image_id(image)
    if found is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no image {image} on this host.",
            f"Build it with: ananke build {image}, or load it with: ananke load FILE",
        )
    return found


def ensure_lingering(context: CommandContext) -> None:
    """Make the account's units run while it is not signed in; raises AnankeError."""
    user = str(os.geteuid())
    completed = context.podman.query(
        ["loginctl", "show-user", user, "--property=Linger", "--value"]
    )
    if completed.stdout.strip() == "yes":
        return
    try:
        context.podman.run(["loginctl", "enable-linger"])
    except AnankeError as error:
        raise AnankeError(
            Exit.HOST,
            "Lingering is off: the hub would stop when you sign out, and not start at boot.",
            "Ask the machine's administrator to run: loginctl enable-linger USER. "
            "To try it without: --no-linger.",
            error.details or error.message,
        ) from error


def make_folders(context: CommandContext, definition: Definition) -> None:
    """Make the missing ones of the folders that the container mounts."""
    for mount in MOUNTS:
        context.steps.make_folder(definition.folder / mount.source)


def install_unit(context: CommandContext, definition: Definition) -> Path:
    """Write the container's unit, checked by Podman, and make systemd read it."""
    podman = context.podman
    selinux = _SELINUX_ENFORCE.exists() and _SELINUX_ENFORCE.read_text().strip() == "1"
    unit.require_plain_folder(definition)
    generator = podman.find_quadlet_generator()
    if generator is not None:
        file = unit.get_quadlet_file(definition.name)
        text = unit.render_quadlet(definition, selinux=selinux)
        unit.check_quadlet(podman, generator, definition.name, text)
        context.steps.write_file(file, text)
        podman.run(podman.make_systemctl_command("daemon-reload"))
        return file
    file = unit.get_service_file(definition.name)
    podman.run(unit.make_create_command(definition, selinux=selinux))
    completed = podman.run(
        [
            *("podman", "generate", "systemd", "--new", "--name"),
            *("--container-prefix=ananke", "--separator=-", "--restart-policy=on-failure"),
            definition.name,
        ]
    )
    podman.run(["podman", "rm", "--force", definition.name])
    context.steps.write_file(file, completed.stdout)
    podman.run(podman.make_systemctl_command("daemon-reload"))
    podman.run(podman.make_systemctl_command("enable", file.name))
    return file


def remove_unit(context: CommandContext, name: str, file: Path) -> None:
    """Stop a container and remove its unit, and what Podman may have left of it."""
    podman = context.podman
    podman.run(podman.make_systemctl_command("stop", unit.get_service_name(name)))
    if file == unit.get_service_file(name):
        podman.run(podman.make_systemctl_command("disable", unit.get_service_name(name)))
    context.steps.remove_file(file)
    podman.run(podman.make_systemctl_command("daemon-reload"))
    podman.run(["podman", "rm", "--force", "--ignore", name])


def start_unit(context: CommandContext, name: str, *, verb: str = "start") -> None:
    """Start (or restart) the unit; raises AnankeError with the end of its log."""
    podman = context.podman
    if _has_failed(podman, name):
        # systemd counts failed starts, and would refuse another one.
        podman.run(podman.make_systemctl_command("reset-failed", unit.get_service_name(name)))
    try:
        podman.run(podman.make_systemctl_command(verb, unit.get_service_name(name)))
    except AnankeError as error:
        error.details = "\n".join(x for x in (error.details, read_unit_log(podman, name)) if x)
        raise


def wait_for_hub(
    context: CommandContext,
    definition: Definition,
    *,
    seconds: float = HUB_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until the hub answers; return the seconds it took.

    Raises AnankeError with the end of the hub's log if it does not answer.
    """
    if context.dry_run:
        return 0.0
    start = clock()
    polls = 0
    while True:
        if is_answering(definition):
            return clock() - start
        polls += 1
        # A failed unit will never answer.
        failed = polls % 4 == 0 and _has_failed(context.podman, definition.name)
        if failed or clock() - start > seconds:
            raise AnankeError(
                Exit.HUB_NOT_ANSWERING,
                f"The hub {definition.name} did not start: "
                + ("its unit failed." if failed else f"no answer within {seconds:g} seconds."),
                f"Its log: ananke logs {definition.name}. Perhaps a value in jupyterhub_config.d "
                f"is wrong; after a change: ananke restart {definition.name}.",
                read_hub_log(context.podman, definition.name),
            )
        sleep(_POLL_SECONDS)


def read_hub_log(podman: Podman, name: str) -> str:
    """Return the end of the hub's log, or of its container's log if that cannot be read."""
    inside = podman.query(
        [
            *("podman", "exec", name, "journalctl", "--no-pager", "--output=cat"),
            *(f"--unit={HUB_UNIT}", f"--lines={_LOG_LINES}"),
        ]
    )
    if inside.ok and inside.stdout.strip():
        return inside.stdout.strip()
    return read_unit_log(podman, name)


def read_unit_log(podman: Podman, name: str) -> str:
    """Return the end of the log of the container's unit on this host."""
    completed = podman.query(
        [
            *("journalctl", "--user", "--no-pager", "--output=cat"),
            *(f"--unit={unit.get_service_name(name)}", f"--lines={_LOG_LINES}"),
        ]
    )
    if completed.ok and completed.stdout.strip():
        return completed.stdout.strip()
    return podman.query(["podman", "logs", f"--tail={_LOG_LINES}", name]).stdout.strip()


def read_unit_state(podman: Podman, name: str) -> str:
    """Return the unit's state as systemd names it: active, inactive, failed, ..."""
    completed = podman.query(
        podman.make_systemctl_command("is-active", unit.get_service_name(name))
    )
    return completed.stdout.strip() or "unknown"


def _has_failed(podman: Podman, name: str) -> bool:
    return read_unit_state(podman, name) == "failed"


def parse_first_object(text: str) -> dict[str, Any]:
    """Return the first object of a JSON list, or an empty one if there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else {}
