"""The hub's configuration."""

from __future__ import annotations

import json
import re
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from traitlets.config import Config

import kore
from kore.host import LocalHost
from kore.hub import config

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


def test_no_course_is_in_the_configuration(c, deployment):
    """Courses come and go while the hub runs: they do not change its configuration."""
    deployment.host.prepare_course(COURSE)
    again = Config()
    config.configure(again, deployment)
    for one in (c, again):
        one.Spawner.pop("pre_spawn_hook")
    assert again == c
    assert COURSE not in repr(again)


def test_services_have_only_the_scopes_they_need(c):
    """No service is a hub administrator, and the one that reports launches can do nothing else."""
    roles = {role["name"]: role["scopes"] for role in c.JupyterHub.load_roles}
    assert not [scope for scopes in roles.values() for scope in scopes if scope == "admin:servers"]
    assert roles["hub-login"] == ["access:services!service=kore"]
    assert roles["user"] == ["self", "access:services!service=kore"]
    assert {"tokens", "proxy", "shutdown", "admin:services"}.isdisjoint(roles["kore"])


def test_a_servers_token_reaches_kore_and_little_else(c):
    """With its token a server reports activity, lets its owner in, and calls Kore."""
    assert c.Spawner.server_token_scopes == [
        "users:activity!user",
        "access:servers!server",
        "access:services!service=kore",
    ]


def test_tokens_are_created_once_and_private(c, deployment):
    """A restart finds the tokens in the hub's database; nobody else can read them."""
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
    """Each program that the hub starts writes its own log."""
    commands = {one["name"]: one.get("command") for one in c.JupyterHub.services}
    assert commands["kore"][:2] == ["wrap", "kore.log"]
    assert commands["culler"][:2] == ["wrap", "culler.log"]
    assert c.ConfigurableHTTPProxy.command == ["wrap", "proxy.log", "node", "proxy"]
    assert commands["hub-login"] is None


@pytest.mark.parametrize("kind", ["person", "course"])
def test_disabled_plugins_exist(kind):
    """The names of disabled plug-ins are those of the installed nbgrader."""
    page = json.loads((SERVER_CONFIG / kind / "labconfig" / "page_config.json").read_text())
    disabled = [name for name in page["disabledExtensions"] if "nbgrader" in name]
    bundle = Path(sys.prefix) / "share/jupyter/labextensions/@jupyter/nbgrader/static"
    code = "".join(path.read_text() for path in bundle.glob("*.js"))
    assert disabled
    assert [name for name in disabled if f'"{name}"' not in code] == []


def test_the_proxys_number_does_not_outlive_the_hub(deployment, tmp_path):
    """JupyterHub kills the process with that number at its next start: it may be another one."""
    c = Config()
    config.configure(c, replace(deployment, run_dir=tmp_path / "run"))
    assert c.ConfigurableHTTPProxy.pid_file == str(tmp_path / "run" / "proxy.pid")
