"""The command line of the demo: messages and exit codes, never a traceback."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest

from ananke import cli
from ananke.demo.state import StateDirectory
from ananke.errors import Exit


def ananke(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "ananke", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )


def read_error(result):
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr


def test_a_taken_port_ends_with_its_code(tmp_path):
    """A taken port: one sentence, a hint, exit code 3, and no state directory."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = ananke("demo", "--port", port, "--state-dir", tmp_path / "s")
    assert result.returncode == Exit.PORT_TAKEN
    message = read_error(result)
    assert f"Error: Port {port} is taken" in message
    assert "--port" in message
    assert not (tmp_path / "s").exists()


def test_the_same_demo_again_names_its_address(tmp_path):
    """A port that this very demo has taken: the message says where to open it."""
    with socket.socket() as other, StateDirectory(tmp_path / "s") as running:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        running.write_addresses(["http://127.0.0.1:9", f"http://127.0.0.1:{port}"])
        result = ananke("demo", "--port", port, "--state-dir", tmp_path / "s")
    assert result.returncode == Exit.PORT_TAKEN
    assert "already running: open http://127.0.0.1:9." in read_error(result)


def test_one_port_for_two(tmp_path):
    """Hub and LMS cannot share a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = ananke("demo", "--port", port, "--lms-port", port, "--state-dir", tmp_path / "s")
    assert result.returncode == Exit.PORT_TAKEN
    assert "cannot both use" in read_error(result)


def test_a_bad_lms_file_ends_with_its_code(tmp_path):
    """An LMS configuration that cannot be read: exit code 7."""
    result = ananke("demo", "--lms-config", tmp_path / "none.py", "--state-dir", tmp_path / "s")
    assert result.returncode == Exit.LMS_CONFIG
    assert "cannot be read" in read_error(result)


def test_a_foreign_directory_ends_with_its_code(tmp_path):
    """A directory of something else: exit code 5."""
    (tmp_path / "thesis.tex").write_text("")
    result = ananke("demo", "--port", 0, "--lms-port", 0, "--state-dir", tmp_path)
    assert result.returncode == Exit.STATE_UNUSABLE
    assert "do not belong to a demo" in read_error(result)


@pytest.mark.parametrize("wrong", [["--port", "70000"], ["--port", "x"], ["--no-such-option"]])
def test_wrong_command_line_ends_with_two(wrong):
    """Typer's own refusals keep their code."""
    result = ananke("demo", *wrong)
    assert result.returncode == Exit.USAGE
    assert "Traceback" not in result.stderr


def test_the_help_documents_the_exit_codes():
    """The help of the demo lists its exit codes for scripts."""
    message = re.sub(r"\s+", " ", ananke("demo", "--help").stdout)
    ends = [
        *(Exit.OK, Exit.USAGE, Exit.PORT_TAKEN, Exit.SOFTWARE_MISSING, Exit.STATE_UNUSABLE),
        *(Exit.STATE_IN_USE, Exit.LMS_CONFIG, Exit.PROCESS_NOT_STARTED, Exit.PROCESS_ENDED),
        Exit.INTERRUPTED,
    ]
    assert [code for code in ends if not re.search(rf"\b{int(code)}\b", message)] == []


def test_internal_error_ends_without_a_traceback(monkeypatch, capsys):
    """An unexpected error ends as a sentence, not as a traceback."""

    def fail():
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.delenv("ANANKE_DEBUG", raising=False)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == Exit.INTERNAL
    message = capsys.readouterr().err
    assert "Internal error of ananke" in message
    assert "Traceback" not in message
