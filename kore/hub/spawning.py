"""Prepares servers of people and of courses before the hub starts them.

Both are single-user servers of JupyterHub. They differ by a folder of static Jupyter configuration
(``kore/singleuser/config``) and by where they run. A course is recognised by its user's name, so
the hub's configuration contains nothing about courses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kore
from kore.hub.machine import Homes
from kore.shared.ids import is_course_id

_CONFIG = Path(kore.__file__).parent / "singleuser" / "config"
KERNELS = _CONFIG / "kernels"
"""Jupyter data with the demo's only kernel: the environment that runs the server."""

PreSpawnHook = Callable[[Any], None]


def make_pre_spawn_hook(
    host: Homes, *, kore_url: str, kernels: Path = KERNELS, executor: str = ""
) -> PreSpawnHook:
    """Return the hook that prepares a user's files and server before each start.

    ``kore_url`` is Kore's loopback URL without a path, empty if there is no Kore and no
    nbgrader. ``kernels`` is a folder of Jupyter data with the kernels for everyone,
    ``executor`` the socket of the program that runs students' notebooks (``kore.executor``).

    If the hook raises an exception (``kore.host.HostError``), the server does not start and
    the person sees its message.
    """

    def prepare(spawner: Any) -> None:
        name: str = spawner.user.name
        if is_course_id(name):
            kind, settings = "course", _prepare_course(spawner, name, host)
            if executor:
                settings["KORE_EXECUTOR"] = executor
        else:
            kind, settings = "person", _prepare_person(spawner, name, host)
        if kore_url:
            below = spawner.hub.base_url.removesuffix("hub/")
            settings["KORE_URL"] = f"{kore_url}{below}services/kore"
            settings["JUPYTER_CONFIG_PATH"] = str(_CONFIG / kind)
        spawner.environment = {**spawner.environment, **settings, "JUPYTER_PATH": str(kernels)}

    return prepare


def _prepare_person(spawner: Any, name: str, host: Homes) -> dict[str, str]:
    spawner.notebook_dir = str(host.prepare_person(name))
    return {}


def _prepare_course(spawner: Any, course_id: str, host: Homes) -> dict[str, str]:
    root = host.prepare_course(course_id)
    spawner.notebook_dir = str(root)
    # Kore gave its instructors access: do not ask them whether they trust the course.
    spawner.user.settings["oauth_no_confirm_list"].add(spawner.oauth_client_id)
    return {"KORE_COURSE_ID": course_id, "KORE_COURSE_ROOT": str(root)}
