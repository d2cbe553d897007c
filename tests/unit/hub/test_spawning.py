"""Preparing servers before they start."""

from __future__ import annotations

import pytest

from kore.host import HostError, LocalHost
from kore.hub import spawning

COURSE = "c-0123456789abcdef"
KORE = "http://127.0.0.1:8002"


@pytest.fixture
def host(tmp_path):
    return LocalHost(homes=tmp_path / "homes", exchange=tmp_path / "exchange")


class Spawner:
    """As much of a spawner as the hook touches."""

    def __init__(self, name):
        self.user = type("User", (), {"name": name, "settings": {"oauth_no_confirm_list": set()}})()
        self.hub = type("Hub", (), {"base_url": "/far/below/hub/"})()
        self.oauth_client_id = f"jupyterhub-user-{name}"
        self.environment = {"PATH": "/bin"}
        self.notebook_dir = ""


def test_a_course_runs_in_its_directory_without_consent(host):
    """A course's server works in the course directory, and does not ask for consent."""
    spawner = Spawner(COURSE)
    spawning.make_pre_spawn_hook(host, kore_url=KORE)(spawner)
    root = host.course_root(COURSE)
    assert spawner.notebook_dir == str(root)
    assert root.is_dir()
    assert spawner.environment["KORE_COURSE_ID"] == COURSE
    assert spawner.environment["PATH"] == "/bin"
    assert spawner.user.settings["oauth_no_confirm_list"] == {spawner.oauth_client_id}


def test_a_persons_server_runs_at_home_and_asks_for_consent(host):
    """A person's server lets nobody else in without asking."""
    spawner = Spawner("u101")
    spawning.make_pre_spawn_hook(host, kore_url=KORE)(spawner)
    assert spawner.notebook_dir == str(host.home("u101"))
    assert "KORE_COURSE_ID" not in spawner.environment
    assert spawner.environment["KORE_URL"] == f"{KORE}/far/below/services/kore"
    assert spawner.user.settings["oauth_no_confirm_list"] == set()


@pytest.mark.parametrize("name", ["../x", "root", "c-1"])
def test_no_server_for_other_names(host, name):
    """A hub user who is neither a person nor a course gets no server."""
    with pytest.raises(HostError):
        spawning.make_pre_spawn_hook(host, kore_url=KORE)(Spawner(name))
