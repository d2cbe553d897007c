"""Uses JupyterHub where it has no public way; a test fails when JupyterHub changes there."""

from __future__ import annotations

from jupyterhub.services.service import _ServiceSpawner


def set_service_poll_interval(seconds: int) -> None:
    """Let the hub check every few seconds whether its services still run.

    The hub checks every 30 seconds, and passes services no configuration that could change it.
    """
    _ServiceSpawner.poll_interval = seconds
