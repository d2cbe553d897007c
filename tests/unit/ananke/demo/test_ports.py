"""Ports: checked before they are used, and given to one program only."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from ananke.demo import ports
from ananke.errors import AnankeError, Exit


def test_taken_port_is_refused():
    """A port that another program listens on is refused, and the option is named."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AnankeError) as caught:
            ports.check_port(port, "--lms-port")
    assert caught.value.code is Exit.PORT_TAKEN
    assert str(port) in caught.value.message
    assert "--lms-port" in caught.value.hint
    assert "\n" not in caught.value.message


def test_port_zero_gives_a_free_port():
    """Port 0 gives a free port above those of the system."""
    assert ports.check_port(0, "--port") >= 1024


def test_free_port_is_given_once(monkeypatch):
    """Until a process has ended, no other process gets the port that it asked for."""
    monkeypatch.setattr(ports, "_PORTS", range(19101, 19103))
    ask = """
from ananke.demo import ports
ports._PORTS = range(19101, 19103)
print(ports.find_free_port())
"""
    mine = ports.find_free_port()
    for _ in range(2):
        result = subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=30
        )
        assert {mine, int(result.stdout)} == {19101, 19102}
    # Each process released its port when it ended.
    assert {mine, ports.find_free_port()} == {19101, 19102}
    with pytest.raises(AnankeError, match="No port is free"):
        ports.find_free_port()
