"""What the demo checks before it starts anything: one sentence and a hint for each problem."""

from __future__ import annotations

import sys

import pytest

from ananke.demo import preflight
from ananke.errors import AnankeError, Exit

GOOD = """
c = get_config()
base = "http://127.0.0.2:9090/moodle"
c.LTI13Authenticator.client_id = ["abc"]
c.LTI13Authenticator.issuer = base
c.LTI13Authenticator.authorize_url = f"{base}/mod/lti/auth.php"
c.LTI13Authenticator.jwks_endpoint = f"{base}/mod/lti/certs.php"
"""


def is_one_sentence(error: AnankeError) -> bool:
    return "\n" not in error.message and error.message.endswith(".") and error.hint != ""


def fake_node(tmp_path, script):
    program = tmp_path / "bin" / "node"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program.parent)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo v18.19.0", "is version 18"),
        ("echo nonsense", "does not work"),
        ("exit 1", "does not work"),
        ("echo v9.1.0", "is version 9"),
    ],
)
def test_unusable_node_is_refused(tmp_path, monkeypatch, script, message):
    """Node that is too old or does not run is refused, with the version that is needed."""
    monkeypatch.setattr(preflight, "get_search_path", lambda: fake_node(tmp_path, script))
    with pytest.raises(AnankeError, match=message) as caught:
        preflight.find_proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING
    assert is_one_sentence(caught.value)
    assert "make setup" in caught.value.hint


def test_missing_node_is_refused(tmp_path, monkeypatch):
    """Without Node the message says what installs it."""
    monkeypatch.setattr(preflight, "get_search_path", lambda: str(tmp_path))
    with pytest.raises(AnankeError, match="Node is not installed") as caught:
        preflight.find_proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING


def test_missing_proxy_is_refused(tmp_path, monkeypatch):
    """Without the proxy the message says what installs it."""
    monkeypatch.setattr(preflight, "get_search_path", lambda: fake_node(tmp_path, "echo v22.1.0"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(AnankeError, match="configurable-http-proxy, is not installed") as caught:
        preflight.find_proxy_command()
    assert caught.value.code is Exit.SOFTWARE_MISSING


def test_issuer_of_a_good_file(tmp_path):
    """A container's 30_lms.py is read as the hub will read it."""
    path = tmp_path / "30_lms.py"
    path.write_text(GOOD)
    assert preflight.read_issuer(path) == "http://127.0.0.2:9090/moodle"


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_bad_lms_files(tmp_path, text, message):
    """Each mistake in the file ends in one sentence that names the file."""
    path = tmp_path / "30_lms.py"
    path.write_text(text)
    with pytest.raises(AnankeError, match=message) as caught:
        preflight.read_issuer(path)
    assert caught.value.code is Exit.LMS_CONFIG
    assert str(path) in caught.value.message
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_unreadable_lms_file(tmp_path, name):
    """A missing file or a folder is reported as unreadable."""
    with pytest.raises(AnankeError, match="cannot be read") as caught:
        preflight.read_issuer(tmp_path / name)
    assert caught.value.code is Exit.LMS_CONFIG
