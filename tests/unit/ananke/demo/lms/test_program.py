"""The LMS as a program: how it starts, stops, and survives being killed."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest
import requests

from ananke.demo.lms.__main__ import main
from ananke.demo.ports import find_free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path):
    """Start the program; return the process and its URL when it answers."""
    started = []

    def run(*arguments, port=None):
        port = port or find_free_port()
        command = [sys.executable, "-m", "ananke.demo.lms", "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--state-dir", str(tmp_path / "lms"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, process.stderr.read()
            try:
                requests.get(f"{url}/api/state", timeout=5)
            except requests.RequestException:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return process, url

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_it_serves_stops_at_once_and_starts_again(start, tmp_path):
    """SIGTERM ends it at once even with a kept connection; state and key stay, 0600."""
    process, url = start("--tool-url", "http://127.0.0.1:8123", "--profile", "canvas")
    with requests.Session() as session:
        state = session.get(f"{url}/api/state", timeout=5).json()
        assert state["profile"] == "canvas"
        assert state["registration"]["target_link_uri"] == "http://127.0.0.1:8123/hub"
        session.post(f"{url}/api/users", json={"slug": "kept"}, timeout=5).raise_for_status()
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert process.returncode == 0
    assert out == ""
    for file in (tmp_path / "lms").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    process, url = start(port=int(url.rpartition(":")[2]))
    users = requests.get(f"{url}/api/state", timeout=5).json()["users"]
    assert "kept" in [user["slug"] for user in users]


def test_it_survives_a_kill(start):
    """What was answered before a SIGKILL is there afterwards."""
    process, url = start()
    body = {"activity": "roots", "user": "zoe", "points": 5}
    requests.put(f"{url}/api/grades", json=body, timeout=5).raise_for_status()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _, url = start()
    book = requests.get(f"{url}/api/gradebook?course=numerics", timeout=5).json()
    assert book["line_items"][0]["grades"][0]["points"] == 5


def test_broken_connections_are_broken_here_too(start):
    """The program breaks a connection when a fault says so, and continues to serve."""
    _, url = start()
    for kind in ("reset", "bad_status_line"):
        fault = {"kind": kind, "service": "token"}
        behaviour = {"fail_next": [fault]}
        requests.put(f"{url}/api/behaviour", json=behaviour, timeout=5).raise_for_status()
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{url}/lti/token", timeout=5)
        assert requests.post(f"{url}/lti/token", timeout=5).status_code == 400


@pytest.mark.parametrize("trouble", ["port", "host", "tool", "state", "version"])
def test_start_failure_is_one_line(tmp_path, capsys, trouble):
    """A taken port, an outside address, a bad tool URL, an unusable state directory."""
    state = tmp_path / "lms"
    arguments = ["--port", str(find_free_port())]
    with socket.socket() as taken:
        if trouble == "port":
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            arguments = ["--port", str(taken.getsockname()[1])]
        elif trouble == "host":
            arguments += ["--host", "0.0.0.0"]
        elif trouble == "tool":
            arguments += ["--tool-url", "ftp://x"]
        elif trouble == "state":
            state.write_text("a file")
        else:
            state.mkdir()
            (state / "lms.sqlite").write_bytes(b"no database at all" * 100)
        assert main(["--state-dir", str(state), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("The LMS cannot start: ")
    assert len(said.err.splitlines()) == 1
