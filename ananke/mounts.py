"""The folders of a container definition, and where its container mounts them.

The images, the manager and the documentation read this one table. Everything else in a
container is lost when the container is created again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

STATE = "runtime"
"""The folder of a definition that holds everything that the hub writes."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One folder: ``source`` below the definition, ``target`` in the container.

    ``content`` describes what is in it. ``backup``: backups include it.
    """

    source: str
    target: PurePosixPath
    content: str
    writable: bool = True
    backup: bool = True


def _make_state_mount(folder: str, target: str, content: str, *, backup: bool = True) -> Mount:
    return Mount(f"{STATE}/{folder}", PurePosixPath(target), content, backup=backup)


MOUNTS = (
    _make_state_mount("dyn_home", "/var/lib/private", "the homes of students and teachers"),
    _make_state_mount(
        "home", "/home", "the homes of courses: sources, gradebook and collected work"
    ),
    _make_state_mount("hub", "/var/lib/jupyterhub", "the hub's database, cookie secret and tokens"),
    _make_state_mount("kore", "/var/lib/kore", "Kore's database and the hub's LTI keys"),
    _make_state_mount(
        "exchange", "/opt/nbgrader_exchange", "released assignments, submissions and feedback"
    ),
    _make_state_mount("parts", "/opt/parts", "optional parts"),
    _make_state_mount(
        "log", "/var/log/journal", "the journal of the hub and of all servers", backup=False
    ),
    Mount(
        "jupyterhub_config.d",
        PurePosixPath("/etc/jupyterhub/jupyterhub_config.d"),
        "the hub's configuration",
        writable=False,
    ),
    Mount(
        "ca",
        PurePosixPath("/usr/local/share/ca-certificates/ananke"),
        "certificates of your organisation's own authorities (*.crt)",
        writable=False,
    ),
)

HUB_DATABASE = f"{STATE}/hub/jupyterhub.sqlite"
KORE_DATABASE = f"{STATE}/kore/kore.sqlite"
GRADEBOOKS = (f"{STATE}/home", "course/gradebook.db")
"""Folder of the courses' homes, and the gradebook's path in each of them."""

PORT = 8000
"""The port on which the hub listens inside the container."""

HUB_UNIT = "jupyterhub.service"
"""The hub's systemd unit inside the container."""
