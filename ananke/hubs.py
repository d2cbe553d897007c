"""What is done with a hub's container as a whole: its unit, its image, waiting until it answers."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ananke import hubconfig, unit
from ananke.definition import Definition
from ananke.errors import AnankeError, Exit
from ananke.mounts import HUB_UNIT, MOUNTS, STATE
from ananke.options import BY_KEY
from ananke.podman import Podman
from ananke.session import Session

HUB_SECONDS = 180.0
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_LOG_LINES = 15
_APPLIED = f"{STATE}/created.json"
_ENFORCING = Path("/sys/fs/selinux/enforce")
# Direct connections: a machine's web proxy knows nothing of its loopback addresses.
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def url(definition: Definition) -> str:
    """Return the hub's address on this host, with a slash at its end."""
    host, port = definition.address
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}{hubconfig.base_url(definition)}"


def answers(definition: Definition) -> bool:
    """Say whether the hub answers on this host."""
    try:
        with _http.open(f"{url(definition)}hub/health", timeout=_ANSWER_SECONDS) as answer:
            return bool(answer.status == http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException, urllib.error.URLError):
        return False


def created(name: str) -> Path:
    """Return the file of a container's unit; raises AnankeError where there is none."""
    file = unit.installed(name)
    if file is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"The container {name} has not been created.",
            f"Create it with: ananke create {name}",
        )
    return file


def applied(session: Session, name: str | None) -> Definition:
    """Return a created container's definition, with the values that it was created with.

    Raises AnankeError where it has not been created.
    """
    found = session.definition(name)
    created(found.name)
    file = found.folder / _APPLIED
    try:
        values = json.loads(file.read_text("utf-8"))
        known = {key: values[key] for key in BY_KEY if values.get(key) is not None}
    except (OSError, ValueError, AttributeError):
        # Made by hand or by a restore of old: what config.py says is the best there is.
        known = {}
    made = found.with_values(known, source=str(file))
    made.require_complete()
    return made


def note_applied(session: Session, definition: Definition) -> None:
    """Write down the values with which a container is created."""
    text = json.dumps(dict(definition.values), indent=1) + "\n"
    session.steps.write(definition.folder / _APPLIED, text)


def require_new(session: Session, name: str) -> None:
    """Raise AnankeError where a unit or a container of the name exists."""
    file = unit.installed(name)
    if file is not None:
        raise AnankeError(
            Exit.EXISTS,
            f"The container {name} exists already ({file}).",
            f"Remove it first, its data stay: ananke remove {name}",
        )
    if session.podman.container(name) is not None:
        raise AnankeError(
            Exit.EXISTS,
            f"Podman has a container {name} that is not of ananke's making.",
            f"Choose another name, or remove it: podman rm {name}",
        )


def require_image(podman: Podman, image: str) -> str:
    """Return the id of an image; raises AnankeError where it is not here."""
    found = podman.image_id(image)
    if found is None:
        raise AnankeError(
            Exit.NOT_FOUND,
            f"There is no image {image} here.",
            f"Build it with: ananke build {image}, or load it with: ananke load FILE",
        )
    return found


def require_lingering(session: Session) -> None:
    """See to it that the account's units run while it is not signed in; raises AnankeError."""
    user = str(os.geteuid())
    ran = session.podman.ask(["loginctl", "show-user", user, "--property=Linger", "--value"])
    if ran.out.strip() == "yes":
        return
    try:
        session.podman.do(["loginctl", "enable-linger"])
    except AnankeError as error:
        raise AnankeError(
            Exit.HOST,
            "Lingering is off: the hub would end when you sign out, and not start at boot.",
            "Ask the machine's administrator for: loginctl enable-linger USER. "
            "Or go on without, for a trial: --no-linger.",
            error.details or error.message,
        ) from error


def make_folders(session: Session, definition: Definition) -> None:
    """Make the folders that the container mounts, where they are missing."""
    for mount in MOUNTS:
        session.steps.folder(definition.folder / mount.source)


def install_unit(session: Session, definition: Definition) -> Path:
    """Write the container's unit, checked by Podman, and have systemd read it."""
    podman = session.podman
    selinux = _ENFORCING.exists() and _ENFORCING.read_text().strip() == "1"
    unit.require_plain_folder(definition)
    generator = podman.generator()
    if generator is not None:
        file = unit.quadlet_file(definition.name)
        text = unit.quadlet(definition, selinux=selinux)
        unit.check_quadlet(podman, generator, definition.name, text)
        session.steps.write(file, text)
        podman.do(podman.systemctl("daemon-reload"))
        return file
    file = unit.service_file(definition.name)
    podman.do(unit.create_command(definition, selinux=selinux))
    ran = podman.do(
        [
            *("podman", "generate", "systemd", "--new", "--name"),
            *("--container-prefix=ananke", "--separator=-", "--restart-policy=on-failure"),
            definition.name,
        ]
    )
    podman.do(["podman", "rm", "--force", definition.name])
    session.steps.write(file, ran.out)
    podman.do(podman.systemctl("daemon-reload"))
    podman.do(podman.systemctl("enable", file.name))
    return file


def remove_unit(session: Session, name: str, file: Path) -> None:
    """Stop a container for good: its unit, and what Podman may have left of it."""
    podman = session.podman
    podman.do(podman.systemctl("stop", unit.service(name)))
    if file == unit.service_file(name):
        podman.do(podman.systemctl("disable", unit.service(name)))
    session.steps.unlink(file)
    podman.do(podman.systemctl("daemon-reload"))
    podman.do(["podman", "rm", "--force", "--ignore", name])


def start(session: Session, name: str, *, verb: str = "start") -> None:
    """Start (or restart) the unit; raises AnankeError with the end of its log."""
    podman = session.podman
    if _failed(podman, name):
        # systemd counts the starts that failed, and would refuse one more.
        podman.do(podman.systemctl("reset-failed", unit.service(name)))
    try:
        podman.do(podman.systemctl(verb, unit.service(name)))
    except AnankeError as error:
        error.details = "\n".join(x for x in (error.details, unit_log(podman, name)) if x)
        raise


def wait(
    session: Session,
    definition: Definition,
    *,
    seconds: float = HUB_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Wait until the hub answers; return the seconds it took.

    Raises AnankeError with the end of the hub's log where it does not.
    """
    if session.dry_run:
        return 0.0
    began = clock()
    looked = 0
    while True:
        if answers(definition):
            return clock() - began
        looked += 1
        # A unit that failed will not answer any more.
        over = looked % 4 == 0 and _failed(session.podman, definition.name)
        if over or clock() - began > seconds:
            raise AnankeError(
                Exit.HUB_SILENT,
                f"The hub of {definition.name} did not come up: "
                + ("its unit failed." if over else f"no answer within {seconds:g} seconds."),
                f"Its log: ananke logs {definition.name}. A value in jupyterhub_config.d may be "
                f"wrong; after a change: ananke restart {definition.name}.",
                why(session.podman, definition.name),
            )
        sleep(_LOOK_SECONDS)


def why(podman: Podman, name: str) -> str:
    """Return the end of the hub's log, or of its container's where that cannot be had."""
    inside = podman.ask(
        [
            *("podman", "exec", name, "journalctl", "--no-pager", "--output=cat"),
            *(f"--unit={HUB_UNIT}", f"--lines={_LOG_LINES}"),
        ]
    )
    if inside.ok and inside.out.strip():
        return inside.out.strip()
    return unit_log(podman, name)


def unit_log(podman: Podman, name: str) -> str:
    """Return the end of the log of the container's unit on this host."""
    ran = podman.ask(
        [
            *("journalctl", "--user", "--no-pager", "--output=cat"),
            *(f"--unit={unit.service(name)}", f"--lines={_LOG_LINES}"),
        ]
    )
    if ran.ok and ran.out.strip():
        return ran.out.strip()
    return podman.ask(["podman", "logs", f"--tail={_LOG_LINES}", name]).out.strip()


def state(podman: Podman, name: str) -> str:
    """Return the unit's state in systemd's words: active, inactive, failed, ..."""
    ran = podman.ask(podman.systemctl("is-active", unit.service(name)))
    return ran.out.strip() or "unknown"


def _failed(podman: Podman, name: str) -> bool:
    return state(podman, name) == "failed"


def first_of(text: str) -> dict[str, Any]:
    """Return the first object of a JSON list, or an empty one where there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else {}
