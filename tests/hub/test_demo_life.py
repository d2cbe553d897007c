"""The demo starts, ends, and starts again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from ananke.demo.ports import find_free_port
from ananke.demo.processes import TAG
from ananke.errors import Exit
from tests.support.demo import running_demo
from tests.support.waiting import wait_until
from tests.support.web_user import WebUser

# Three starts of everything, one after another.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NOBODY = 65534
DEMO = [sys.executable, "-m", "ananke", "demo", "--port=0", "--lms-port=0"]


def of_state(state_dir):
    """Return every process of the demo with this state directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(TAG) == str(state_dir):
                found.append(process)
    return found


def with_server_and_kernel(demo):
    """Launch as a student, start a kernel; return the student and the processes' ids."""
    student = WebUser(demo, "zoe")
    page = student.launch("roots")
    assert page.url.endswith("/lab"), page.url
    student.server().json("POST", "/api/kernels", json={})
    wait_until(
        lambda: any("ipykernel_launcher" in p.cmdline() for p in of_state(demo.state_dir)),
        "no kernel started",
    )
    return student


def facts(state_dir):
    """Return what must be the same after a restart."""
    secret = (state_dir / "hub" / "jupyterhub_cookie_secret").read_text()
    tokens = [path.read_text() for path in sorted((state_dir / "hub").glob("*.token"))]
    keys = {path.name: path.read_bytes() for path in (state_dir / "kore" / "keys").iterdir()}
    return secret, tokens, keys


def test_a_restart_keeps_the_state(tmp_path):
    """SIGTERM ends every process; the next start has the same cookies, homes and courses."""
    state = tmp_path / "state"
    ports = ("--port", str(find_free_port()), "--lms-port", str(find_free_port()))
    with running_demo(state, *ports) as demo:
        student = with_server_and_kernel(demo)
        (state / "homes" / student.hub_name() / "notes.txt").write_text("mine")
        courses = student.kore("GET", "/courses").json()
        jwks = requests.get(f"{demo.kore}/jwks", timeout=10).json()
        keys = requests.get(f"{demo.lms}/lti/jwks", timeout=10).json()
        before = facts(state)
        assert demo.process.pid in [p.pid for p in psutil.process_iter()]
        begun = time.monotonic()
        demo.process.send_signal(signal.SIGTERM)
        assert demo.process.wait(60) == Exit.OK
        # It gives them 8.5 s, all in all.
        assert time.monotonic() - begun < 20
        assert of_state(state) == []

    with running_demo(state, *ports) as demo:
        assert facts(state) == before
        assert requests.get(f"{demo.kore}/jwks", timeout=10).json() == jwks
        assert requests.get(f"{demo.lms}/lti/jwks", timeout=10).json() == keys
        # The cookie of before still holds.
        student.demo = demo
        assert student.kore("GET", "/courses").json() == courses
        assert (state / "homes" / student.hub_name() / "notes.txt").read_text() == "mine"


def test_a_killed_demo_starts_again(tmp_path):
    """After kill -9 everything ends; the next start ends what was left, and nothing else."""
    state = tmp_path / "state"
    with running_demo(state) as demo:
        with_server_and_kernel(demo)
        demo.process.kill()
        demo.process.wait()
        wait_until(lambda: of_state(state) == [], lambda: of_state(state))

    with running_demo(state) as demo:
        student = with_server_and_kernel(demo)
        hub = next(p for p in of_state(state) if "jupyterhub_config.py" in " ".join(p.cmdline()))
        demo.process.kill()
        hub.kill()
        demo.process.wait()

    # The number of the proxy that was killed may be anybody's by now.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        (state / "hub" / "proxy.pid").write_text(str(bystander.pid))
        with running_demo(state) as demo:
            student.demo = demo
            page = student.launch("roots")
            assert page.url.endswith(f"/user/{student.hub_name()}/lab")
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_ends_under_a_flood_of_child_signals(tmp_path):
    """However many children end at once, SIGTERM ends the demo and all its processes in time."""
    with running_demo(tmp_path / "state") as demo:
        flooding = threading.Event()

        def flood():
            with suppress(ProcessLookupError):
                while not flooding.is_set():
                    demo.process.send_signal(signal.SIGCHLD)

        sender = threading.Thread(target=flood, daemon=True)
        sender.start()
        try:
            assert requests.get(f"{demo.kore}/health", timeout=10).ok
            begun = time.monotonic()
            demo.process.send_signal(signal.SIGTERM)
            assert demo.process.wait(60) == Exit.OK
            # It has ten seconds, on a machine with nothing else to do.
            assert time.monotonic() - begun < 20
        finally:
            flooding.set()
            sender.join()
        assert of_state(demo.state_dir) == []
    assert "Stopping ..." in (tmp_path / "state.stderr").read_text()


def test_a_second_demo_on_the_same_state_is_refused(tmp_path):
    """Two demos cannot share a state directory; the first one continues."""
    with running_demo(tmp_path / "state") as demo:
        second = subprocess.run(
            [*DEMO, f"--state-dir={demo.state_dir}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == Exit.STATE_IN_USE
        assert str(demo.process.pid) in second.stderr
        assert requests.get(f"{demo.kore}/health", timeout=10).json() == {"status": "ok"}


def test_a_process_that_does_not_start_is_named(tmp_path):
    """If Kore's database is broken, the demo names Kore, shows its log, and ends."""
    state = tmp_path / "state"
    (state / "kore").mkdir(parents=True)
    (state / "demo.lock").touch()
    (state / "kore" / "kore.sqlite").write_bytes(b"this is no database" * 100)
    result = subprocess.run(
        [*DEMO, f"--state-dir={state}", "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == Exit.PROCESS_NOT_STARTED
    assert result.stdout == ""
    assert "Error: Kore did not start" in result.stderr
    assert "not a database" in result.stderr
    assert str(state / "logs" / "kore.log") in result.stderr
    assert of_state(state) == []


def test_a_process_that_ends_later_is_named(tmp_path):
    """If the LMS dies, the demo says so and ends the rest."""
    with running_demo(tmp_path / "state") as demo:
        lms = next(
            process
            for process in psutil.Process(demo.process.pid).children()
            if "ananke.demo.lms" in process.cmdline()
        )
        lms.kill()
        assert demo.process.wait(60) == Exit.PROCESS_ENDED
        assert of_state(demo.state_dir) == []


def test_another_lms_replaces_the_embedded_one(tmp_path):
    """With --lms-config there is no embedded LMS, and the hub uses the file's."""
    config = tmp_path / "30_lms.py"
    config.write_text(
        "c = get_config()\n"
        "base_url = 'http://127.0.0.2:9/moodle'\n"
        "c.LTI13Authenticator.client_id = ['SomeRandomString']\n"
        "c.LTI13Authenticator.issuer = base_url\n"
        "c.LTI13Authenticator.authorize_url = f'{base_url}/mod/lti/auth.php'\n"
        "c.LTI13Authenticator.jwks_endpoint = f'{base_url}/mod/lti/certs.php'\n"
        "c.LTI13Authenticator.access_token_url = f'{base_url}/mod/lti/token.php'\n"
    )
    database = tmp_path / "other.sqlite"
    env = {"KORE_DATABASE_URL": f"sqlite:///{database}", "KORE_STATE_DIR": "/nowhere"}
    with running_demo(tmp_path / "state", "--lms-config", str(config), env=env) as demo:
        # Settings of the demo's environment reach Kore, unless they say where its parts are.
        assert database.exists()
        assert demo.lms == "http://127.0.0.2:9/moodle"
        running = psutil.Process(demo.process.pid).children()
        assert not [p for p in running if "ananke.demo.lms" in p.cmdline()]
        login = requests.post(
            f"{demo.hub}/hub/lti13/oauth_login",
            data={
                "iss": "http://127.0.0.2:9/moodle",
                "login_hint": "2",
                "client_id": "SomeRandomString",
                "target_link_uri": demo.hub,
                "lti_message_hint": "1",
            },
            allow_redirects=False,
            timeout=10,
        )
        assert login.headers["Location"].startswith("http://127.0.0.2:9/moodle/mod/lti/auth.php?")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_runs_as_an_ordinary_user(tmp_path):
    """An ordinary user, in a home of their own, gets the same demo as root."""
    home = Path("/tmp") / f"ananke-nobody-{os.getpid()}"
    # Kore's own way into an account: it brings a Python along that only root can reach.
    become = [sys.executable, "-I", "-m", "kore.host.enter", str(NOBODY), str(home), str(home)]
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    probe = [*become, sys.executable, "-m", "ananke", "--version"]
    if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        home.rmdir()
        pytest.skip("an ordinary user may not read this clone")
    try:
        process = subprocess.Popen(
            [*become, *DEMO, "--json"],
            env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            ready = json.loads(process.stdout.readline())
            state = home / ".local" / "state" / "ananke" / "demo"
            assert ready["state_dir"] == str(state)
            assert {p.uids().real for p in of_state(state)} == {NOBODY}
            page = WebUser(_Addresses(ready), "zoe").launch("roots")
            assert page.url.endswith("/user/u201/lab")
        finally:
            process.terminate()
            assert process.wait(60) == Exit.OK
        assert of_state(state) == []
    finally:
        shutil.rmtree(home)


class _Addresses:
    def __init__(self, ready):
        self.lms, self.hub, self.kore = ready["lms"], ready["hub"], ready["kore"]
