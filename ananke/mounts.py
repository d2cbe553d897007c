"""Which folder of a container definition lies where inside its container.

The images, the manager and the documentation read this one table. What is not in it is
lost when a container is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

STATE = "runtime"
"""The folder of a definition that holds what the hub writes."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One folder: ``source`` below the definition, ``target`` in the container.

    ``keeps`` says in words what is in it. ``backup`` says whether a backup holds it.
    """

    source: str
    target: PurePosixPath
    keeps: str
    writable: bool = True
    backup: bool = True


def _state(folder: str, target: str, keeps: str, *, backup: bool = True) -> Mount:
    return Mount(f"{STATE}/{folder}", PurePosixPath(target), keeps, backup=backup)


MOUNTS = (
    _state("dyn_home", "/var/lib/private", "the homes of students and teachers"),
    _state("home", "/home", "the homes of courses, with sources, gradebook and collected work"),
    _state("hub", "/var/lib/jupyterhub", "the hub's database, cookie secret and tokens"),
    _state("kore", "/var/lib/kore", "Kore's database and the hub's LTI keys"),
    _state("exchange", "/opt/nbgrader_exchange", "work that is handed out and in"),
    _state("parts", "/opt/parts", "optional parts that were installed"),
    _state("log", "/var/log/journal", "the journal of the hub and of all servers", backup=False),
    Mount(
        "jupyterhub_config.d",
        PurePosixPath("/etc/jupyterhub/jupyterhub_config.d"),
        "the hub's configuration",
        writable=False,
    ),
    Mount(
        "ca",
        PurePosixPath("/usr/local/share/ca-certificates/ananke"),
        "certificates of the organisation's own authorities (*.crt)",
        writable=False,
    ),
)

HUB_DATABASE = f"{STATE}/hub/jupyterhub.sqlite"
KORE_DATABASE = f"{STATE}/kore/kore.sqlite"
GRADEBOOKS = (f"{STATE}/home", "course/gradebook.db")
"""Folder of the courses' homes, and the gradebook's place in each."""

PORT = 8000
"""The port on which the hub listens inside the container."""

HUB_UNIT = "jupyterhub.service"
"""The hub's systemd unit inside the container."""
