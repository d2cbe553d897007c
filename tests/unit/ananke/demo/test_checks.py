"""What the demo finds out before it starts anything, each in one sentence with a remedy."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from ananke.demo import checks
from ananke.errors import AnankeError, Exit

GOOD = """
c = get_config()
base = "http://127.0.0.2:9090/moodle"
c.LTI13Authenticator.client_id = ["abc"]
c.LTI13Authenticator.issuer = base
c.LTI13Authenticator.authorize_url = f"{base}/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = f"{base}/mod/lti/certs.php"
"""


def one_sentence(error: AnankeError) -> bool:
    return "\n" not in error.message and error.message.endswith(".") and error.hint != ""


def test_a_taken_port_is_named():
    """A port that another program listens on is refused, and the option is named."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AnankeError) as caught:
            checks.checked_port(port, "--lms-port")
    assert caught.value.code is Exit.PORT_TAKEN
    assert str(port) in caught.value.message
    assert "--lms-port" in caught.value.hint
    assert one_sentence(caught.value)


def test_port_zero_is_a_free_one():
    """Port 0 takes a free port, not the first one there is."""
    assert checks.checked_port(0, "--port") >= 1024


def fake_node(tmp_path, script):
    program = tmp_path / "bin" / "node"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program.parent)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo v18.19.0", "version 18"),
        ("echo nonsense", "not working"),
        ("exit 1", "not working"),
        ("echo v9.1.0", "version 9"),
    ],
)
def test_node_that_does_not_do_is_named(tmp_path, monkeypatch, script, words):
    """Node that is too old or does not run is refused with what is needed."""
    monkeypatch.setattr(checks, "search_path", lambda: fake_node(tmp_path, script))
    with pytest.raises(AnankeError, match=words) as caught:
        checks.proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING
    assert one_sentence(caught.value)
    assert "make setup" in caught.value.hint


def test_no_node_at_all(tmp_path, monkeypatch):
    """A machine without Node is told what installs it."""
    monkeypatch.setattr(checks, "search_path", lambda: str(tmp_path))
    with pytest.raises(AnankeError, match="there is none") as caught:
        checks.proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING


def test_no_proxy(tmp_path, monkeypatch):
    """Node without the proxy is told what installs it."""
    monkeypatch.setattr(checks, "search_path", lambda: fake_node(tmp_path, "echo v22.1.0"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(AnankeError, match="configurable-http-proxy, is not installed") as caught:
        checks.proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING


def test_issuer_of_a_good_file(tmp_path):
    """A container's 30_lms.py is read as the hub will read it."""
    path = tmp_path / "30_lms.py"
    path.write_text(GOOD)
    assert checks.lms_issuer(path) == "http://127.0.0.2:9090/moodle"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c = get_config(\n", "not valid Python: line"),
        ("import nothing_of_that_name\n", "fails when it is run: ModuleNotFoundError"),
        ("raise SystemExit(0)\n", "fails when it is run: SystemExit"),
        ("", "does not set c.LTI13Authenticator.client_id, c.LTI13Authenticator.issuer"),
        (
            GOOD.replace("c.LTI13Authenticator.issuer", "issuer"),
            "does not set c.LTI13Authenticator.issuer",
        ),
        (GOOD.replace("http:", "ftp:"), "not an http"),
        (GOOD + "c.LTI13Authenticator.issuer = 7\n", "not an http"),
        ("\0", "not valid Python|fails when it is run"),
    ],
)
def test_bad_lms_files(tmp_path, text, words):
    """Whatever is wrong with the file ends in one sentence that names the file."""
    path = tmp_path / "30_lms.py"
    path.write_text(text)
    with pytest.raises(AnankeError, match=words) as caught:
        checks.lms_issuer(path)
    assert caught.value.code is Exit.LMS_CONFIG
    assert str(path) in caught.value.message
    assert one_sentence(caught.value)


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_unreadable_lms_file(tmp_path, name):
    """A file that is not there, or a folder, is said to be unreadable."""
    with pytest.raises(AnankeError, match="cannot be read") as caught:
        checks.lms_issuer(tmp_path / name)
    assert caught.value.code is Exit.LMS_CONFIG


def test_a_free_port_is_given_once(monkeypatch):
    """Until who asked has ended, no other process is given the same port."""
    monkeypatch.setattr(checks, "_PORTS", range(19101, 19103))
    ask = """
from ananke.demo import checks
checks._PORTS = range(19101, 19103)
print(checks.free_port())
"""
    mine = checks.free_port()
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=30
        )
        assert {mine, int(result.stdout)} == {19101, 19102}
    # With its end each gave its port back.
    assert {mine, checks.free_port()} == {19101, 19102}
    with pytest.raises(AnankeError, match="No port is free"):
        checks.free_port()
