"""``ananke doctor`` on hosts that are played: what it finds, and what it advises."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from ananke.checks import host_checks
from ananke.checks.check import Host
from ananke.commands import doctor as command
from ananke.podman import Podman
from ananke.steps import Steps

pytestmark = pytest.mark.slow

SERVICE = "sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service"
HEALTHY = {
    "run/systemd/system/x": "",
    "sys/fs/cgroup/cgroup.controllers": "cpu memory pids",
    f"{SERVICE}/cgroup.controllers": "cpu memory pids",
    "etc/subuid": "other:1:2\nteacher:100000:65536\n",
    "etc/subgid": "1000:100000:65536\n",
    "usr/bin/newuidmap": "",
    "usr/bin/pasta": "",
    "proc/sys/kernel/unprivileged_userns_clone": "1\n",
    "proc/sys/user/max_user_namespaces": "15000\n",
    "proc/sys/fs/inotify/max_user_instances": "8192\n",
}


@pytest.fixture
def machine(host, tmp_path):
    """Make a machine from files (None removes one) and the output of its programs."""

    def make(files=None, *, free=10**12, uid=1000, **state):
        root = tmp_path / "machine"
        for path, text in {**HEALTHY, **(files or {})}.items():
            if text is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        host.change(**state)
        return Host(
            podman=Podman(Steps()),
            user="teacher",
            uid=uid,
            root=root,
            data=tmp_path,
            free_bytes=lambda _: free,
        )

    return make


def test_healthy_machine(machine):
    """No check has an error or a hint."""
    found = list(host_checks.run_host_checks(machine()))
    assert [check for check in found if check.state != "ok" or check.hint] == []
    assert len(found) == 15


@pytest.mark.parametrize(
    ("name", "state", "files", "rest", "hint"),
    [
        ("account", "error", {}, {"uid": 0}, "machinectl shell"),
        ("systemd", "error", {"run/systemd/system/x": None}, {}, "runs systemd"),
        ("cgroups", "error", {"sys/fs/cgroup/cgroup.controllers": None}, {}, "unified_cgroup"),
        ("limits", "warning", {}, {"uid": 1001}, "delegate.conf"),
        ("user session", "error", {}, {"session": "offline"}, "not su or sudo"),
        ("lingering", "error", {}, {"linger": "no"}, "loginctl enable-linger teacher"),
        ("subordinate ids", "error", {"etc/subuid": "teacher:1:1000\n"}, {}, "--add-subuids"),
        ("subordinate ids", "error", {"etc/subgid": None}, {}, "--add-subgids"),
        ("user namespaces", "error", {"usr/bin/newuidmap": None}, {}, "apt install uidmap"),
        (
            "user namespaces",
            "error",
            {"proc/sys/kernel/unprivileged_userns_clone": "0\n"},
            {},
            "kernel.unprivileged_userns_clone=1",
        ),
        ("Podman", "error", {}, {"version": "3.4.4"}, "Upgrade"),
        ("Podman", "warning", {}, {"version": "4.3.1"}, "Upgrade"),
        ("network", "error", {"usr/bin/pasta": None}, {}, "apt install passt"),
        (
            "file watches",
            "warning",
            {"proc/sys/fs/inotify/max_user_instances": "128\n"},
            {},
            "max_user_instances",
        ),
        ("disk", "warning", {}, {"free": 10**10}, "An image takes about"),
        ("disk", "error", {}, {"free": 10**9}, "Free some space"),
        (
            "SELinux",
            "error",
            {"sys/fs/selinux/enforce": "1"},
            {"selinux_boolean": "off"},
            "container_manage_cgroup",
        ),
        ("time", "warning", {}, {"synchronised": "no"}, "timesyncd"),
        ("GPUs", "warning", {"proc/driver/nvidia/version": "550"}, {}, "nvidia-ctk cdi generate"),
    ],
)
def test_each_problem_is_found(machine, name, state, files, rest, hint):
    """Each problem is found by itself, with its hint."""
    found = [
        check
        for check in host_checks.run_host_checks(machine(files, **rest))
        if check.state != "ok"
    ]
    mine = [check for check in found if check.name == name]
    assert [check.state for check in mine] == [state]
    assert hint in mine[0].hint


def test_gpu_with_a_name(machine):
    """A GPU with a CDI name is fine."""
    found = {c.name: c for c in host_checks.run_host_checks(machine({"etc/cdi/nvidia.yaml": ""}))}
    assert found["GPUs"].state == "ok"
    assert "nvidia.yaml" in found["GPUs"].message


def test_selinux_that_allows(machine):
    """SELinux that allows systemd in containers is fine."""
    found = {
        c.name: c for c in host_checks.run_host_checks(machine({"sys/fs/selinux/enforce": "1"}))
    }
    assert found["SELinux"].state == "ok"


def test_no_podman(machine, host, monkeypatch):
    """Without Podman the hint names the package, and the other checks still run."""
    (host.bin / "podman").unlink()
    monkeypatch.setenv("PATH", str(host.bin))
    found = {c.name: c for c in host_checks.run_host_checks(machine())}
    assert found["Podman"].state == "error"
    assert "apt install podman" in found["Podman"].hint


@pytest.fixture
def doctor(machine, ananke, monkeypatch):
    """Run the command on a healthy machine with some changes."""

    def run(*argv, **machine_is):
        made = machine(**machine_is)
        monkeypatch.setattr(command, "Host", lambda **_: made)
        return ananke("doctor", *argv)

    return run


def test_exit_codes(doctor):
    """The exit code is 0 for a healthy machine, and 16 for one that would break a hub."""
    assert doctor("--json").code == 0
    assert "All is well." in doctor().out
    ended = doctor("--json", version="3.0.0")
    assert ended.code == 16
    assert not ended.json["healthy"]
    assert "Podman: Upgrade to 4.4 or newer." in doctor(version="3.0.0").out


def test_definition_is_checked(doctor, ananke):
    """With a name, missing values of the definition are found."""
    ananke("new", "fresh", "-t", "template-base")
    ended = doctor("fresh", "--json")
    assert ended.code == 16
    assert "port is not set" in ended.json["checks"][-1]["message"]


@contextmanager
def answering(answers):
    """Serve paths with (status, body)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answers.get(self.path, (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_lms_and_port(host, doctor):
    """The LMS's URLs are called: any answer that is not a server error is fine."""
    folder = host.definition("bio", 65002)
    lms = folder / "jupyterhub_config.d" / "30_lms.py"
    with answering({"/mod/lti/certs.php": (200, "{}"), "/mod/lti/token.php": (500, "")}) as url:
        lms.write_text(lms.read_text().replace("https://lms.example.org", url))
        found = doctor("bio", "--json").json["checks"]
    assert [c["state"] for c in found[-4:]] == ["ok", "ok", "ok", "warning"]
    assert found[-3]["name"] == "port"
    found = doctor("bio", "--json").json["checks"]
    assert found[-1]["state"] == "error"
    assert "does not answer" in found[-1]["message"]


@pytest.mark.parametrize(
    ("uri", "state", "hint"),
    [
        ("{url}/hub/lti13/launch", "ok", ""),
        ("http://127.0.0.1:8000/hub", "error", "proxy_set_header Host"),
        ("https://{host}/hub", "error", "X-Forwarded-Proto"),
        (None, "error", "proxy_pass"),
    ],
)
def test_proxy_headers(doctor, uri, state, hint):
    """The hub's description of itself through the proxy shows which header is missing."""
    answers = {}
    with answering(answers) as url:
        if uri is not None:
            address = uri.format(url=url, host=url.removeprefix("http://"))
            answers["/p/hub/lti13/config"] = (200, json.dumps({"target_link_uri": address}))
        ended = doctor("--public-url", f"{url}/p/", "--json")
    check = ended.json["checks"][-1]
    assert check["state"] == state
    assert hint in check["hint"]


def test_invalid_public_url(doctor):
    """Anything but an http(s) address is refused."""
    assert doctor("--public-url", "file:///etc/passwd", "--json").code == 2


def test_remedies_by_importance(doctor):
    """What breaks a hub is mended first, whatever the order of the checks."""
    shown = doctor(free=10**9, synchronised="no", linger="no").out
    hints = shown.split("\n\n")[-1]
    assert hints.index("lingering:") < hints.index("disk:") < hints.index("time:")
    shown = doctor(files={"proc/sys/fs/inotify/max_user_instances": "128"}, free=10**9).out
    hints = shown.split("\n\n")[-1]
    assert hints.index("disk:") < hints.index("file watches:")


def test_remedies_for_root(machine):
    """Root is told to be someone else, and nothing that only makes sense for that account."""
    found = list(host_checks.run_host_checks(machine(uid=0, linger="no", synchronised="no")))
    names = {check.name for check in found}
    assert "account" in names
    assert not names & {"lingering", "limits", "user session", "subordinate ids"}
    assert not [check.hint for check in found if "As root" in check.hint]
