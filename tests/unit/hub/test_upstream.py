"""What the hub's side uses of JupyterHub without a public way, as JupyterHub has it now."""

from __future__ import annotations

import inspect

import jupyterhub.services.service

from kore.hub import upstream


def test_services_get_their_poll_interval_from_the_class(monkeypatch):
    """JupyterHub passes services no configuration: once it does, use that instead."""
    spawner = jupyterhub.services.service._ServiceSpawner
    monkeypatch.setattr(spawner, "poll_interval", spawner.poll_interval)
    upstream.set_service_poll_interval(7)
    assert spawner().poll_interval == 7
    start = inspect.getsource(jupyterhub.services.service.Service.start)
    call = start[start.index("_ServiceSpawner(") :]
    assert "config=" not in call
    assert "poll_interval" not in call
