"""``ananke`` on a fake host."""

from __future__ import annotations

import os
import sys

import pytest

from ananke import hubs
from ananke.cli import main
from ananke.commands import create
from tests.support.fake_host import AnankeResult, FakeHost, hub_server


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host with two images, an ordinary user, and nothing created."""
    fake = FakeHost(tmp_path)
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(hubs, "_POLL_SECONDS", 0.01)
    monkeypatch.chdir(fake.root)
    return fake


@pytest.fixture
def ananke(host, monkeypatch, capfd):
    """Run ``ananke`` with arguments and without a terminal; return its result."""

    def run(*argv: str) -> AnankeResult:
        monkeypatch.setattr(sys, "argv", ["ananke", *argv])
        monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115, PTH123
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        shown = capfd.readouterr()
        return AnankeResult(code, shown.out, shown.err)

    return run


@pytest.fixture
def hub(host, monkeypatch):
    """A filled-in definition ``bio`` whose hub answers when its container runs."""
    # The fake hub listens on its port before the container is created.
    monkeypatch.setattr(create, "require_port", lambda *_: None)
    with hub_server(host, "bio") as port:
        yield host.definition("bio", port)


@pytest.fixture
def created(hub, ananke):
    """The container ``bio``, running."""
    ended = ananke("create", "bio", "--json")
    assert ended.code == 0, ended
    return hub
