"""Looking after a container: start, stop, restart, status, logs, shell, list, remove."""

from __future__ import annotations

import pytest
import typer

from ananke import disks, hubs
from ananke.context import CommandContext
from tests.support.fake_host import OLD

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_start_waits_for_the_hub(host, created, ananke, verb):
    """The command starts the unit, and ends when the hub answers."""
    ended = ananke(verb, "bio", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "running"
    assert host.called("systemctl", "--user", verb, "ananke-bio.service")


def test_start_without_waiting(host, created, ananke):
    """With ``--wait 0`` the state is starting."""
    host.change(silent=[OLD])
    ended = ananke("restart", "bio", "--wait", "0", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "starting"


def test_failed_start_shows_the_log(host, created, ananke):
    """If the hub does not answer, the error contains its log."""
    host.change(silent=[OLD], journal="Traceback: no such LMS")
    ended = ananke("restart", "bio", "--wait", "1", "--json")
    assert ended.code == 14
    assert "no such LMS" in ended.json["error"]["details"]


def test_stop(host, created, ananke):
    """The unit is stopped and stays installed."""
    ended = ananke("stop", "bio", "--json")
    assert ended.code == 0
    assert ended.json["state"] == "stopped"
    assert not host.answers("bio")
    assert host.quadlet("bio").exists()


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "status", "update", "logs", "shell"])
def test_not_created(host, hub, ananke, verb):
    """A container that was not created is an error with the command that creates it."""
    ended = ananke(verb, "bio")
    assert ended.code == 12
    assert "ananke create bio" in ended.err


@pytest.mark.parametrize("verb", ["start", "create", "status", "backup", "ca"])
def test_no_definition(host, ananke, verb):
    """A name without a definition is an error with the command that makes one."""
    ended = ananke(verb, "chem")
    assert ended.code == 12
    assert "ananke new chem" in ended.err


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_dry_run(host, created, ananke, verb):
    """A dry run only lists the command line."""
    before = len(host.called("systemctl", "--user", verb))
    ended = ananke(verb, "bio", "--dry-run", "--json")
    assert ended.json["steps"] == [f"systemctl --user {verb} ananke-bio.service"]
    assert len(host.called("systemctl", "--user", verb)) == before


def test_status(host, created, ananke):
    """The status has state, image, usage and limits."""
    found = ananke("status", "bio", "--json").json
    assert found["state"] == "active"
    assert found["hub_answers"]
    assert found["memory_used"] == "147MB"
    assert found["memory_limit"] is None
    assert found["processes"] == "42"
    shown = ananke("status", "bio").out
    assert "147MB used, no limit" in shown


@pytest.mark.parametrize(("free", "words"), [(10**9, "almost full"), (10**10, "getting full")])
def test_status_warns_before_the_disk_is_full(host, created, ananke, monkeypatch, free, words):
    """The disk of the data is named before it is full."""
    monkeypatch.setattr(disks, "read_free_bytes", lambda _: free)
    ended = ananke("status", "bio")
    assert ended.code == 0
    assert f"{disks.find_mount_point(created)} is {words}" in ended.out
    assert ananke("status", "bio", "--json").json["disk_free"] == free


def test_status_of_a_stopped_hub(host, created, ananke):
    """If the hub does not answer, the exit code says so."""
    ananke("stop", "bio")
    ended = ananke("status", "bio", "--json")
    assert ended.code == 14
    assert ended.json["state"] == "inactive"


def test_status_without_usage(host, created, ananke):
    """If podman cannot measure the usage, the rest of the status is still there."""
    host.fail("podman stats", "Error: stats is not supported in rootless mode without cgroups v2")
    ended = ananke("status", "bio", "--json")
    assert ended.code == 0
    assert ended.json["memory_used"] == ""


def test_status_without_controllers(host, created, ananke):
    """Zeros that podman reports because it cannot measure are not shown as usage."""
    host.change(usage={"mem_usage": "0B / 0B", "cpu_percent": "0.00%", "pids": "0"})
    found = ananke("status", "bio", "--json").json
    assert (found["memory_used"], found["cpu_used"], found["processes"]) == ("", "", "")
    assert "usage unknown, no limit" in ananke("status", "bio").out


def test_logs(host, created, ananke):
    """The hub's journal is printed as it is, or as lines in JSON."""
    assert ananke("logs", "bio").out == "what the hub said\n"
    assert ananke("logs", "bio", "--json").json["lines"] == ["what the hub said"]
    ananke("logs", "bio", "--unit", "all", "--lines", "7")
    assert host.calls[-1] == ["podman", "exec", "bio", "journalctl", "--no-pager", "--lines=7"]
    assert ananke("logs", "bio", "--boot").out == "the unit's own log\n"


def test_logs_of_an_unknown_unit(host, created, ananke):
    """A unit that the container never had is an error, one that ended is not."""
    host.change(unknown_units=["nosuch"])
    ended = ananke("logs", "bio", "--unit", "nosuch", "--json")
    assert ended.code == 12
    assert "nosuch" in ended.json["error"]["message"]
    assert ananke("logs", "bio", "--unit", "nosuch", "--follow").code == 12
    assert ananke("logs", "bio", "--unit", "kore.service").out == "what the hub said\n"


def test_logs_follow(host, created, ananke):
    """``--follow`` runs on the terminal and cannot be combined with ``--json``."""
    assert ananke("logs", "bio", "--follow").code == 0
    assert host.calls[-1][-1] == "--follow"
    assert ananke("logs", "bio", "--follow", "--json").code == 2


def test_logs_of_a_stopped_container(host, created, ananke):
    """If nothing runs, the hint names the container's own log."""
    ananke("stop", "bio")
    ended = ananke("logs", "bio", "--json")
    assert ended.code == 11
    assert "--boot" in ended.json["error"]["hint"]


def test_shell_runs_a_command(host, created, ananke):
    """Output and exit code are those of the command."""
    ended = ananke("shell", "bio", "--", "sh", "-c", "echo inside; exit 7")
    assert ended.code == 7
    assert ended.out == "inside\n"


def test_shell_has_a_terminal(host, created):
    """On a terminal the shell gets a terminal too."""
    ended = host.terminal("shell", "bio", "--", "echo", "inside", answers=[])
    assert ended.code == 0
    assert "--tty" in host.called("podman", "exec")[-1]


def test_list(host, created, ananke):
    """Containers are listed with state, port and image, invalid ones with their error."""
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
    """Images are listed with their names, ids and sizes."""
    found = ananke("list", "--images", "--json").json["images"]
    assert [image["name"] for image in found] == ["ananke-base:latest", "ananke-nbgrader:latest"]
    assert "1.5 GB" in ananke("list", "--images").out


def test_list_images_has_no_row_twice(host, ananke):
    """An image with several names has one row for each name."""
    names = [image["name"] for image in ananke("list", "--images", "--json").json["images"]]
    assert len(names) == len(set(names))


def test_list_is_empty(host, ananke):
    """Without any container the command that makes one is named."""
    assert "ananke new NAME" in ananke("list").out


def test_remove_keeps_the_data(host, created, ananke):
    """Unit, container and tags are removed; the data and other tags of the image are kept."""
    ended = ananke("remove", "bio", "--yes", "--json")
    assert ended.code == 0
    assert ended.json["data"] == str(created / "runtime")
    assert not host.quadlet("bio").exists()
    assert "localhost/ananke-hub/bio:current" not in host.state["images"]
    assert host.state["images"]["localhost/ananke-base:latest"] == OLD
    assert (created / "runtime" / "hub").is_dir()
    assert ananke("create", "bio").code == 0


def test_remove_with_data(host, created, ananke):
    """``--data`` removes the data too, even if the container was removed before."""
    assert ananke("remove", "bio", "--yes").code == 0
    assert ananke("remove", "bio", "--yes", "--data").code == 0
    assert not (created / "runtime").exists()
    assert (created / "config.py").exists()


def test_remove_without_anything(host, hub, ananke):
    """A definition without container and data has nothing to remove, and that is an error."""
    ended = ananke("remove", "bio", "--yes", "--data", "--json")
    assert ended.code == 12
    assert "nothing to remove" in ended.json["error"]["message"]


@pytest.mark.parametrize(
    "argv",
    [
        ["remove", "nosuch", "--yes", "--data"],
        ["remove", "nosuch", "--yes"],
        ["logs", "nosuch"],
        ["logs", "nosuch", "--boot"],
        ["shell", "nosuch"],
        ["update", "nosuch"],
        ["stop", "nosuch"],
        ["restart", "nosuch"],
    ],
    ids=" ".join,
)
def test_mistyped_names(host, created, ananke, argv):
    """A mistyped name is an error that lists the names that exist, and changes nothing."""
    ended = ananke(*argv)
    assert ended.code == 12
    assert "There are: bio" in ended.err
    assert "Removed" not in ended.out
    assert host.quadlet("bio").exists()


def test_interrupted(host, created, ananke, monkeypatch):
    """Ctrl-C ends a command with a word, on standard error or as JSON."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(hubs, "wait_for_hub", interrupt)
    ended = ananke("restart", "bio")
    assert ended.code == 130
    assert "Interrupted." in ended.err
    ended = ananke("restart", "bio", "--json")
    assert ended.json["error"]["code"] == ended.code == 130


def test_interrupted_at_a_question(host, created, ananke, monkeypatch):
    """Ctrl-C at a question changes nothing, and says so."""

    def abort(*_):
        raise typer.Abort

    monkeypatch.setattr(CommandContext, "confirm", abort)
    ended = ananke("remove", "bio")
    assert ended.code == 130
    assert "Interrupted." in ended.err
    assert host.quadlet("bio").exists()


def test_remove_asks(host, created):
    """Answering no on a terminal changes nothing."""
    ended = host.terminal("remove", answers=[("Remove the container bio", "n")])
    assert ended.code == 18
    assert host.quadlet("bio").exists()
    ended = host.terminal("remove", "bio", answers=[("Remove the container bio", "y")])
    assert ended.code == 0
    assert not host.quadlet("bio").exists()


def test_remove_without_a_terminal(host, created, ananke):
    """Without a terminal ``--yes`` is required."""
    ended = ananke("remove", "bio", "--json")
    assert ended.code == 2
    assert ended.json["error"]["hint"] == "Give --yes."


def test_name_is_asked_for(host, created):
    """With several containers the name is asked for."""
    host.definition("chem", 8001)
    ended = host.terminal("stop", answers=[("Which container (bio, chem)", "bio")])
    assert ended.code == 0
    assert "Stopped the hub bio." in ended.out
