"""Requests to the executor, between two ends of a socket."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from kore.executor import protocol


def stream(connection: socket.socket, limit: int = 2**30) -> Any:
    deadline = time.monotonic() + 20
    return cast("Any", protocol.Stream(connection, deadline=deadline, limit=limit))


def transfer(request: dict[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Send a request and a folder, and receive both."""
    client, server = socket.socketpair()
    target.mkdir()

    def send() -> None:
        with client:
            protocol.send_request(stream(client), request, source)

    sender = threading.Thread(target=send)
    sender.start()
    with server:
        received = protocol.receive_request(stream(server), target)
    sender.join(20)
    return received


def test_a_request_and_its_files_arrive(tmp_path):
    """Contents, folders and the right to execute arrive; links and special files do not."""
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "numbers.csv").write_text("1,2")
    (source / "run.sh").write_text("")
    (source / "run.sh").chmod(0o755)
    (source / "link").symlink_to("/etc/passwd")
    os.mkfifo(source / "pipe")
    target = tmp_path / "target"
    assert transfer({"seconds": 5}, source, target) == {"seconds": 5}
    found = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert found == ["data/numbers.csv", "run.sh"]
    assert (target / "data" / "numbers.csv").read_text() == "1,2"
    assert os.access(target / "run.sh", os.X_OK)


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    """The sender counts files before it sends them."""
    monkeypatch.setattr(protocol, "MAX_FILES", 1)
    for name in ("one", "two"):
        (tmp_path / name).write_text("")
    client, server = socket.socketpair()
    with client, server, pytest.raises(protocol.ProtocolError, match="too many"):
        protocol.send_request(stream(client), {}, tmp_path)


@pytest.mark.parametrize(
    "sent", [b"", b"\0\0", struct.pack("!I", 100) + b"{}", struct.pack("!I", 2**31)]
)
def test_an_incomplete_or_huge_request_is_refused(tmp_path, sent):
    """A request must be complete and within its limit."""
    client, server = socket.socketpair()
    with server:
        with client:
            client.sendall(sent)
        with pytest.raises(protocol.ProtocolError):
            protocol.receive_request(stream(server), tmp_path)


def test_reading_is_limited():
    """A stream raises an error when the other side sends more than its limit."""
    client, server = socket.socketpair()
    with client, server:
        client.sendall(b"x" * 11)
        with pytest.raises(protocol.ProtocolError, match="more than is allowed"):
            stream(server, limit=10).read(11)


def test_addresses_and_peers():
    """``@`` means an abstract socket, and the kernel says who is at the other end."""
    assert protocol.socket_address("@name") == "\0name"
    assert protocol.socket_address("/run/x") == "/run/x"
    client, server = socket.socketpair()
    with client, server:
        assert protocol.peer_uid(server) == os.geteuid()
