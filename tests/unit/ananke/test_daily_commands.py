"""Looking after a container: start, stop, restart, status, logs, shell, list, remove."""

from __future__ import annotations

import pytest

from tests.support.manager import OLD

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_start_waits_for_the_hub(host, created, ananke, verb):
    """The unit is started, and the hub has answered when the command ends."""
    ended = ananke(verb, "bio", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "running"
    assert host.called("systemctl", "--user", verb, "ananke-bio.service")


def test_start_without_waiting(host, created, ananke):
    """``--wait 0`` says that it is starting."""
    host.change(silent=[OLD])
    ended = ananke("restart", "bio", "--wait", "0", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "starting"


def test_start_that_fails(host, created, ananke):
    """A hub that does not answer is told with its log."""
    host.change(silent=[OLD], journal="Traceback: no such LMS")
    ended = ananke("restart", "bio", "--wait", "1", "--json")
    assert ended.code == 14
    assert "no such LMS" in ended.json["error"]["details"]


def test_stop(host, created, ananke):
    """The unit is stopped; it stays installed."""
    ended = ananke("stop", "bio", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "stopped"
    assert not host.answers("bio")
    assert host.quadlet("bio").exists()


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "status", "update", "logs", "shell"])
def test_not_created(host, hub, ananke, verb):
    """What has not been created is told, with the command that creates it."""
    ended = ananke(verb, "bio")
    assert ended.code == 12
    assert "ananke create bio" in ended.err


@pytest.mark.parametrize("verb", ["start", "create", "status", "backup", "ca"])
def test_no_definition(host, ananke, verb):
    """A name without a definition is told, with the command that makes one."""
    ended = ananke(verb, "chem")
    assert ended.code == 12
    assert "ananke new chem" in ended.err


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_dry_run(host, created, ananke, verb):
    """A dry run tells the command line alone."""
    before = len(host.called("systemctl", "--user", verb))
    ended = ananke(verb, "bio", "--dry-run", "--json")
    assert ended.json["steps"] == [f"systemctl --user {verb} ananke-bio.service"]
    assert len(host.called("systemctl", "--user", verb)) == before


def test_status(host, created, ananke):
    """State, image, what is used and what may be used are told."""
    found = ananke("status", "bio", "--json").json
    assert found["state"] == "active"
    assert found["hub_answers"]
    assert found["memory_used"] == "147MB"
    assert found["memory_limit"] is None
    assert found["processes"] == "42"
    shown = ananke("status", "bio").out
    assert "147MB used, no limit" in shown


def test_status_of_a_stopped_hub(host, created, ananke):
    """Where the hub does not answer the exit code says so."""
    ananke("stop", "bio")
    ended = ananke("status", "bio", "--json")
    assert ended.code == 14
    assert ended.json["state"] == "inactive"


def test_status_without_measures(host, created, ananke):
    """Where podman cannot measure, the rest is told all the same."""
    host.fail("podman stats", "Error: stats is not supported in rootless mode without cgroups v2")
    ended = ananke("status", "bio", "--json")
    assert ended.code == 0
    assert ended.json["memory_used"] == ""


def test_logs(host, created, ananke):
    """The hub's journal comes as it is, or as lines of JSON."""
    assert ananke("logs", "bio").out == "what the hub said\n"
    assert ananke("logs", "bio", "--json").json["lines"] == ["what the hub said"]
    ananke("logs", "bio", "--unit", "all", "--lines", "7")
    assert host.calls[-1] == ["podman", "exec", "bio", "journalctl", "--no-pager", "--lines=7"]
    assert ananke("logs", "bio", "--boot").out == "the unit's own log\n"


def test_logs_follow(host, created, ananke):
    """Following gives the terminal away, and has no JSON."""
    assert ananke("logs", "bio", "--follow").code == 0
    assert host.calls[-1][-1] == "--follow"
    assert ananke("logs", "bio", "--follow", "--json").code == 2


def test_logs_of_a_stopped_container(host, created, ananke):
    """Where nothing runs, the way to the container's own log is told."""
    ananke("stop", "bio")
    ended = ananke("logs", "bio", "--json")
    assert ended.code == 11
    assert "--boot" in ended.json["error"]["hint"]


def test_shell_runs_a_command(host, created, ananke):
    """A command's output and exit code are its own."""
    ended = ananke("shell", "bio", "--", "sh", "-c", "echo inside; exit 7")
    assert ended.code == 7
    assert ended.out == "inside\n"


def test_shell_has_a_terminal(host, created):
    """At a terminal the shell gets one."""
    ended = host.terminal("shell", "bio", "--", "echo", "inside", answers=[])
    assert ended.code == 0
    assert "--tty" in host.called("podman", "exec")[-1]


def test_list(host, created, ananke):
    """Containers come with state, port and image; what is wrong with one is told beside."""
    host.definition("chem", 8001)
    broken = host.definition("phys", 8002) / "config.py"
    broken.write_text("config['prot'] = 1\n")
    found = {c["name"]: c for c in ananke("list", "--json").json["containers"]}
    assert found["bio"]["state"] == "active"
    assert found["chem"]["state"] == "not created"
    assert found["chem"]["port"] == "8001"
    assert "line 1: 'prot' is not a known key" in found["phys"]["error"]
    assert "line 1: 'prot' is not a known key" in ananke("list").out


def test_list_images(host, ananke):
    """Images come with their names, ids and sizes."""
    found = ananke("list", "--images", "--json").json["images"]
    assert [image["name"] for image in found] == ["ananke-base:latest", "ananke-nbgrader:latest"]
    assert "1.5 GB" in ananke("list", "--images").out


def test_list_is_empty(host, ananke):
    """Where there is nothing the way to something is told."""
    assert "ananke new NAME" in ananke("list").out


def test_remove_keeps_the_data(host, created, ananke):
    """Unit, container and tags go, the data and other names of the image stay."""
    ended = ananke("remove", "bio", "--yes", "--json")
    assert ended.code == 0
    assert ended.json["data"] == str(created / "runtime")
    assert not host.quadlet("bio").exists()
    assert "localhost/ananke-hub/bio:current" not in host.state["images"]
    assert host.state["images"]["localhost/ananke-base:latest"] == OLD
    assert (created / "runtime" / "hub").is_dir()
    assert ananke("create", "bio").code == 0


def test_remove_with_data(host, created, ananke):
    """With ``--data`` the data go as well, also after the container has gone."""
    assert ananke("remove", "bio", "--yes").code == 0
    assert ananke("remove", "bio", "--yes", "--data").code == 0
    assert not (created / "runtime").exists()
    assert (created / "config.py").exists()


def test_remove_asks(host, created):
    """At a terminal a no changes nothing."""
    ended = host.terminal("remove", answers=[("Remove the container bio", "n")])
    assert ended.code == 18
    assert host.quadlet("bio").exists()
    ended = host.terminal("remove", "bio", answers=[("Remove the container bio", "y")])
    assert ended.code == 0
    assert not host.quadlet("bio").exists()


def test_remove_without_a_terminal(host, created, ananke):
    """Without a terminal ``--yes`` is needed."""
    ended = ananke("remove", "bio", "--json")
    assert ended.code == 2
    assert ended.json["error"]["hint"] == "Give --yes."


def test_name_is_asked_for(host, created):
    """Among several containers the name is asked for."""
    host.definition("chem", 8001)
    ended = host.terminal("stop", answers=[("Which container (bio, chem)", "bio")])
    assert ended.code == 0
    assert "Stopped the hub bio." in ended.out
