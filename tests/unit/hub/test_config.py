"""The hub's configuration: the least that works, and nothing about any course."""

from __future__ import annotations

import json
import re
import stat
import sys
from pathlib import Path

import pytest
from traitlets.config import Config

import kore
from kore.host import HostError, LocalHost
from kore.hub import config, spawning

SERVER_CONFIG = Path(kore.__file__).parent / "singleuser" / "config"
COURSE = "c-0123456789abcdef"
KORE = "http://127.0.0.1:8002"


@pytest.fixture
def deployment(tmp_path):
    homes = tmp_path / "homes"
    (tmp_path / "hub").mkdir()
    return config.Deployment(
        host=LocalHost(homes=homes, exchange=tmp_path / "exchange"),
        homes=homes,
        hub_dir=tmp_path / "hub",
        kore_dir=tmp_path / "kore",
        python=sys.executable,
        public_url="http://127.0.0.1:8000",
        hub_url="http://127.0.0.1:8081",
        proxy_api_url="http://127.0.0.1:8001",
        kore_url="http://127.0.0.1:8002",
        proxy_command=["node", "proxy"],
        spawner_class="simple",
        environment={"LANG": "C.UTF-8"},
        service_wrapper=["wrap", "{name}.log"],
    )


@pytest.fixture
def c(deployment):
    made = Config()
    config.configure(made, deployment)
    return made


class Spawner:
    """As much of a spawner as the hook touches."""

    def __init__(self, name):
        self.user = type("User", (), {"name": name, "settings": {"oauth_no_confirm_list": set()}})()
        self.hub = type("Hub", (), {"base_url": "/far/below/hub/"})()
        self.oauth_client_id = f"jupyterhub-user-{name}"
        self.environment = {"PATH": "/bin"}
        self.notebook_dir = ""


def test_no_course_is_in_the_configuration(c, deployment):
    """A hub with courses is configured as one without: they come and go while it runs."""
    deployment.host.prepare_course(COURSE)
    again = Config()
    config.configure(again, deployment)
    for one in (c, again):
        one.Spawner.pop("pre_spawn_hook")
    assert again == c
    assert COURSE not in repr(again)


def test_services_hold_no_more_than_they_need(c):
    """Nobody is a hub administrator, and who tells of launches can do nothing else."""
    roles = {role["name"]: role["scopes"] for role in c.JupyterHub.load_roles}
    assert not [scope for scopes in roles.values() for scope in scopes if scope == "admin:servers"]
    assert roles["hub-login"] == ["access:services!service=kore"]
    assert roles["user"] == ["self", "access:services!service=kore"]
    assert {"tokens", "proxy", "shutdown", "admin:services"}.isdisjoint(roles["kore"])


def test_a_servers_token_reaches_kore_and_little_else(c):
    """With its token a server says that it is used, lets its owner in, and calls Kore."""
    assert c.Spawner.server_token_scopes == [
        "users:activity!user",
        "access:servers!server",
        "access:services!service=kore",
    ]


def test_tokens_are_made_once_and_kept_private(c, deployment):
    """A restart finds the tokens that the hub's database knows; nobody else can read them."""
    again = Config()
    config.configure(again, deployment)

    def tokens(one):
        return [service["api_token"] for service in one.JupyterHub.services]

    assert tokens(c) == tokens(again)
    assert len(set(tokens(c))) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", token) for token in tokens(c))
    files = sorted(deployment.hub_dir.iterdir())
    assert [path.suffix for path in files] == [".token"] * 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_services_run_behind_the_wrapper(c):
    """Each program that the hub starts writes into its own log."""
    commands = {one["name"]: one.get("command") for one in c.JupyterHub.services}
    assert commands["kore"][:2] == ["wrap", "kore.log"]
    assert commands["culler"][:2] == ["wrap", "culler.log"]
    assert c.ConfigurableHTTPProxy.command == ["wrap", "proxy.log", "node", "proxy"]
    assert commands["hub-login"] is None


def test_a_course_runs_in_its_directory_without_consent(deployment):
    """A course's server works in the course directory, and asks its instructors nothing."""
    spawner = Spawner(COURSE)
    spawning.pre_spawn_hook(deployment.host, kore_url=KORE)(spawner)
    root = deployment.host.course_root(COURSE)
    assert spawner.notebook_dir == str(root)
    assert root.is_dir()
    assert spawner.environment["KORE_COURSE_ID"] == COURSE
    assert spawner.environment["PATH"] == "/bin"
    assert spawner.user.settings["oauth_no_confirm_list"] == {spawner.oauth_client_id}


def test_a_person_runs_at_home_and_is_asked(deployment):
    """A person's server is not opened to others without a question."""
    spawner = Spawner("u101")
    spawning.pre_spawn_hook(deployment.host, kore_url=KORE)(spawner)
    assert spawner.notebook_dir == str(deployment.host.home("u101"))
    assert "KORE_COURSE_ID" not in spawner.environment
    assert spawner.environment["KORE_URL"] == f"{KORE}/far/below/services/kore"
    assert spawner.user.settings["oauth_no_confirm_list"] == set()


@pytest.mark.parametrize("name", ["../x", "root", "c-1"])
def test_no_server_for_other_names(deployment, name):
    """A hub user who is neither a person nor a course gets no server."""
    with pytest.raises(HostError):
        spawning.pre_spawn_hook(deployment.host, kore_url=KORE)(Spawner(name))


@pytest.mark.parametrize("kind", ["person", "course"])
def test_disabled_plugins_exist(kind):
    """Each plug-in that is switched off bears the name that the installed nbgrader gives it."""
    page = json.loads((SERVER_CONFIG / kind / "labconfig" / "page_config.json").read_text())
    switched_off = [name for name in page["disabledExtensions"] if "nbgrader" in name]
    bundle = Path(sys.prefix) / "share/jupyter/labextensions/@jupyter/nbgrader/static"
    code = "".join(path.read_text() for path in bundle.glob("*.js"))
    assert switched_off
    assert [name for name in switched_off if f'"{name}"' not in code] == []
