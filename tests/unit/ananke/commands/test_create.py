"""``ananke create``: what it runs, what it refuses before it changes anything, what it says."""

from __future__ import annotations

import json
import socket

import pytest

from ananke.mounts import MOUNTS
from tests.support.fake_host import OLD, hub_server

pytestmark = pytest.mark.slow


def test_creates_a_unit_that_answers(host, hub, ananke):
    """The image is tagged, a checked Quadlet file is there, the unit runs, the hub answers."""
    ended = ananke("create", "bio", "--json")
    assert ended.code == 0
    assert ended.json["started"]
    assert ended.json["url"].startswith("http://127.0.0.1:")
    assert ended.json["image_id"] == OLD.removeprefix("sha256:")
    assert host.state["images"]["localhost/ananke-hub/bio:current"] == OLD
    assert host.called("quadlet", "-dryrun", "-user")
    assert host.called("systemctl", "--user", "start", "ananke-bio.service")
    text = host.quadlet("bio").read_text()
    assert "AddCapability=SYS_ADMIN" in text
    assert ":8000\n" in text
    for mount in MOUNTS:
        assert f"Volume={hub / mount.source}:{mount.target}" in text
        assert (hub / mount.source).is_dir()


def test_says_where_the_hub_is(hub, ananke):
    """A person sees the URL of the hub."""
    ended = ananke("create", "bio")
    assert ended.code == 0
    assert "The hub bio is running: http://127.0.0.1:" in ended.out


def test_base_url_is_part_of_the_url(host, ananke, monkeypatch):
    """A hub with a path of several segments is called and printed with that path."""
    from ananke.commands import create

    monkeypatch.setattr(create, "require_port", lambda *_: None)
    with hub_server(host, "bio", "/a/b/") as port:
        folder = host.definition("bio", port)
        base = folder / "jupyterhub_config.d" / "00_base.py"
        base.write_text(base.read_text().replace('base_url = "/"', 'base_url = "/a/b"'))
        ended = ananke("create", "bio", "--json")
        assert ended.code == 0
        assert ended.json["url"] == f"http://127.0.0.1:{port}/a/b/"


def test_flags_override_the_file(host, hub, ananke):
    """Limits, GPUs, volumes and extra arguments from flags are in the unit."""
    ended = ananke(
        *("create", "bio", "--memory", "8g", "--cpus", "2.5", "--gpu", "0"),
        *(
            "--gpu",
            "nvidia.com/gpu=1",
            "--podman-arg=--hostname=hub one",
            "--volume",
            "/tmp:/srv/x:ro",
        ),
        "--json",
    )
    assert ended.code == 0, ended
    text = host.quadlet("bio").read_text()
    assert (
        '"--memory=8g" "--cpus=2.5" "--device=nvidia.com/gpu=0" "--device=nvidia.com/gpu=1"' in text
    )
    assert '"--hostname=hub one"' in text
    assert "Volume=/tmp:/srv/x:ro\n" in text


def test_dry_run_changes_nothing(host, hub, ananke):
    """It lists folders, files and command lines, and makes none of them."""
    ended = ananke("create", "bio", "--dry-run", "--json")
    assert ended.code == 0
    assert ended.json["dry_run"]
    assert f"write {host.quadlet('bio')}" in ended.json["steps"]
    assert "systemctl --user start ananke-bio.service" in ended.json["steps"]
    assert not host.quadlet("bio").exists()
    assert not (hub / "runtime").exists()
    assert not host.called("systemctl", "--user", "start")
    assert not host.called("podman", "tag")


@pytest.mark.parametrize("there", [True, False])
def test_no_limit_of_processes(host, hub, ananke, monkeypatch, there):
    """Podman's own limit of processes is lifted if the account can have limits."""
    from ananke import unit

    monkeypatch.setattr(unit, "list_controllers", lambda *_: {"pids"} if there else set())
    assert ananke("create", "bio").code == 0
    assert ('"--pids-limit=-1"' in host.quadlet("bio").read_text()) is there


def test_after_too_many_failures(host, created, ananke):
    """A unit that has failed too often can be started again."""
    host.change(units={"ananke-bio.service": "failed"})
    assert ananke("start", "bio").code == 0
    assert host.called("systemctl", "--user", "reset-failed", "ananke-bio.service")


def test_before_quadlet(host, hub, ananke):
    """Podman 4.3 makes the unit with ``generate systemd``, from a temporary container."""
    host.change(version="4.3.1")
    ended = ananke("create", "bio", "--json")
    assert ended.code == 0, ended
    [create] = host.called("podman", "create")
    assert "--cap-add=SYS_ADMIN" in create
    assert create[-1] == "localhost/ananke-hub/bio:current"
    assert host.called("podman", "generate", "systemd", "--new", "--name")
    assert host.called("systemctl", "--user", "enable", "ananke-bio.service")
    assert (host.config / "systemd" / "user" / "ananke-bio.service").exists()


def test_port_not_filled_in(host, ananke):
    """A new definition is refused with file and line before anything runs."""
    ananke("new", "fresh", "--template", "template-base")
    ended = ananke("create", "fresh", "--json")
    assert ended.code == 10
    line = 9
    assert (
        f"containers/fresh/config.py, line {line}: port is not set"
        in (ended.json["error"]["message"])
    )
    assert "--port" in ended.json["error"]["hint"]
    assert not host.calls


def test_lms_not_filled_in(host, ananke):
    """After the port, the LMS is reported, with file and line."""
    ananke("new", "fresh", "--template", "template-base", "--port", "8765")
    ended = ananke("create", "fresh", "--json")
    assert ended.code == 10
    assert (
        "30_lms.py, line 10: c.LTI13Authenticator.client_id is not filled in"
        in (ended.json["error"]["message"])
    )


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["--image", "no-such"], 12, "There is no image no-such"),
        (["--memory", "lots"], 2, "--memory is not a size of memory"),
        (["--port", "80"], 2, "--port is not a port that an ordinary user can open"),
        (["--volume", "/no/such/folder:/srv/x"], 10, "--volume: the folder to mount"),
        (["--requires", "path:/no/such"], 10, "--requires: /no/such is required"),
        (["--volume", "/tmp:/var/lib"], 2, "hides the hub's /var/lib/private"),
        (["--requires", "podman>=99.0"], 10, "podman 99.0 or newer is required"),
        (["--requires", "path:/no/such"], 10, "/no/such is required and does not exist"),
        (["--podman-arg=--name=x"], 2, "which ananke sets itself"),
        (["--podman-arg=--refused-by-quadlet"], 11, "Quadlet generator rejected"),
    ],
)
def test_refusals(host, hub, ananke, argv, code, words):
    """Invalid values are refused with their own exit code and a hint, and no unit is made."""
    ended = ananke("create", "bio", *argv, "--json")
    assert ended.code == code
    assert words in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]
    assert not host.quadlet("bio").exists()


def test_port_taken(host, ananke):
    """A port that another program uses is refused before anything is made."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        host.definition("bio", other.getsockname()[1])
        ended = ananke("create", "bio", "--json")
    assert ended.code == 3
    assert not host.called("podman", "tag")


def test_second_creation_is_refused(host, created, ananke):
    """A second creation is refused, and the hint says how to start over."""
    ended = ananke("create", "bio", "--json")
    assert ended.code == 13
    assert "ananke remove bio" in ended.json["error"]["hint"]


def test_foreign_container(host, hub, ananke):
    """A container of the same name that ananke did not create is left alone."""
    host.change(containers={"bio": {"Image": "x", "running": True}})
    ended = ananke("create", "bio", "--json")
    assert ended.code == 13
    assert "ananke did not create" in ended.json["error"]["message"]


def test_lingering_is_switched_on(host, hub, ananke):
    """Lingering is turned on if it is off."""
    host.change(linger="no")
    assert ananke("create", "bio").code == 0
    assert host.called("loginctl", "enable-linger")


def test_lingering_refused(host, hub, ananke):
    """If lingering cannot be turned on, nothing is made, and the hint names the command."""
    host.change(linger="no")
    host.fail("loginctl enable-linger", "Could not enable linger: Access denied", 1)
    ended = ananke("create", "bio", "--json")
    assert ended.code == 16
    assert "loginctl enable-linger USER" in ended.json["error"]["hint"]
    assert not host.quadlet("bio").exists()
    assert ananke("create", "bio", "--no-linger").code == 0


def test_hub_that_does_not_start(host, hub, ananke):
    """After the wait the hub's log is shown, and the container is kept."""
    host.change(silent=[OLD], journal="SyntaxError in 10_servers.py")
    ended = ananke("create", "bio", "--wait", "1")
    assert ended.code == 14
    assert "no answer within 1 seconds" in ended.err
    assert "SyntaxError in 10_servers.py" in ended.err
    assert "ananke logs bio" in ended.err
    assert host.quadlet("bio").exists()


def test_unit_that_failed_is_not_waited_for(host, hub, ananke):
    """A unit that failed ends the wait at once."""
    host.change(never_start=[OLD])
    ended = ananke("create", "bio", "--json")
    assert ended.code == 14
    assert "its unit failed" in ended.json["error"]["message"]


def test_start_refused_by_systemd(host, hub, ananke):
    """The output of systemd and the end of the unit's log are shown."""
    host.fail("systemctl --user start", "Job for ananke-bio.service failed.", 1)
    ended = ananke("create", "bio", "--json")
    assert ended.code == 11
    assert "Job for ananke-bio.service failed." in ended.json["error"]["details"]
    assert "the unit's own log" in ended.json["error"]["details"]


def test_podman_missing(host, hub, ananke, monkeypatch):
    """Without Podman the hint names the package to install."""
    (host.bin / "podman").unlink()
    monkeypatch.setenv("PATH", str(host.bin))
    ended = ananke("create", "bio", "--json")
    assert ended.code == 4
    assert "apt install podman" in ended.json["error"]["hint"]


def test_no_start(host, hub, ananke):
    """``--no-start`` makes the unit and does not start it."""
    ended = ananke("create", "bio", "--no-start", "--json")
    assert ended.code == 0
    assert not ended.json["started"]
    assert not host.called("systemctl", "--user", "start")


def test_root_is_refused(host, hub, ananke, monkeypatch):
    """Root is refused."""
    import os

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    ended = ananke("create", "bio", "--json")
    assert ended.code == 16
    assert "not by root" in ended.json["error"]["message"]


def test_asks_where_the_definition_says_so(host, hub):
    """``interactive`` values are asked for on a terminal, again after an invalid answer."""
    config = hub / "config.py"
    text = config.read_text().replace("['memory'] = 'max'", "['memory'] = 'interactive'")
    config.write_text(text.replace("['gpus'] = []", "['gpus'] = 'interactive'"))
    ended = host.terminal(
        *("create", "bio", "--dry-run", "--port", "65001"),
        answers=[
            ("Memory for all servers together", "much"),
            ("That is not a size of memory", "4g"),
            ("GPUs", "0 1"),
        ],
    )
    assert ended.code == 0
    assert "start ananke-bio.service" in ended.out


def test_interactive_without_a_terminal(host, hub, ananke):
    """Without a terminal the hint names the missing flag."""
    config = hub / "config.py"
    config.write_text(
        config.read_text().replace("['memory'] = 'max'", "['memory'] = 'interactive'")
    )
    ended = ananke("create", "bio", "--json")
    assert ended.code == 2
    assert ended.json["error"]["hint"] == "Give --memory."
    assert ananke("create", "bio", "--memory", "max", "--json").code == 0


def test_values_of_the_creation_are_kept(host, created, ananke):
    """Later commands use the values of the creation, whatever config.py says."""
    kept = json.loads((created / "runtime" / "created.json").read_text())
    assert kept["image_name"] == "ananke-base"
    assert ananke("status", "bio", "--json").json["hub_answers"]
