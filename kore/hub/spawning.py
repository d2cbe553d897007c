"""How servers of people and of courses are started.

Both are single-user servers of JupyterHub; they differ by a folder of static Jupyter
configuration (``server_config/``) and by where they run. A course is known by its user's
name alone, so nothing about a course is ever in the hub's configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kore.host import Host, is_course_user

_CONFIG = Path(__file__).parent / "server_config"

PreSpawnHook = Callable[[Any], None]


def pre_spawn_hook(host: Host, *, kore_url: str) -> PreSpawnHook:
    """Return the hook that prepares a user's files and server, called before each start.

    ``kore_url`` is Kore as servers on this machine reach it, with the service's prefix.

    An exception of the hook (``kore.host.HostError``) ends the start, and its words are
    on the page that the person sees.
    """

    def prepare(spawner: Any) -> None:
        name: str = spawner.user.name
        if is_course_user(name):
            _prepare_course(spawner, name, host)
        else:
            _prepare_person(spawner, name, host)
        spawner.environment = {**spawner.environment, "KORE_URL": kore_url}

    return prepare


def _prepare_person(spawner: Any, name: str, host: Host) -> None:
    home = host.prepare_person(name)
    spawner.notebook_dir = str(home)
    spawner.environment = {
        **spawner.environment,
        **_jupyter_paths("person"),
    }


def _prepare_course(spawner: Any, course_id: str, host: Host) -> None:
    root = host.prepare_course(course_id)
    spawner.notebook_dir = str(root)
    spawner.environment = {
        **spawner.environment,
        **_jupyter_paths("course"),
        "KORE_COURSE_ID": course_id,
        "KORE_COURSE_ROOT": str(root),
    }
    # Its instructors were let in by Kore: no page that asks whether they trust the course.
    spawner.user.settings["oauth_no_confirm_list"].add(spawner.oauth_client_id)


def _jupyter_paths(kind: str) -> dict[str, str]:
    return {
        "JUPYTER_CONFIG_PATH": str(_CONFIG / kind),
        "JUPYTER_PATH": str(_CONFIG / "kernels"),
    }
