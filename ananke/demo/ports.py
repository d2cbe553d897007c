"""Ports of the loopback address: checking one, and finding a free one."""

from __future__ import annotations

import errno
import random
import socket

from ananke.errors import AnankeError, Exit

LOOPBACK = "127.0.0.1"
_PORTS = range(20000, 32000)
_reservations: list[socket.socket] = []


def find_free_port() -> int:
    """Return a free port of the loopback address, reserved until this process ends.

    Until the program that gets it listens, someone else could be given the same port: a name
    in the kernel's abstract namespace reserves it among those who ask here (unix(7)). The ports
    are below those that the kernel gives to connections (ip_local_port_range).
    """
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0ananke-port-{port}")
            with socket.socket() as probe:
                probe.bind((LOOPBACK, port))
        except OSError:
            reservation.close()
            continue
        _reservations.append(reservation)
        return port
    raise AnankeError(Exit.PORT_TAKEN, "No port is free.", "Stop programs that listen on ports.")


def check_port(port: int, option: str) -> int:
    """Return the port, or a free one for 0; raise AnankeError if it cannot be used."""
    if port == 0:
        return find_free_port()
    with socket.socket() as probe:
        # Connections that ended a moment ago do not keep a port in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                message = f"Only the system's administrator can use port {port}."
            elif error.errno == errno.EADDRINUSE:
                message = f"Port {port} is taken by another program."
            else:
                message = f"Port {port} cannot be used: {error.strerror}."
            raise AnankeError(
                Exit.PORT_TAKEN, message, f"Choose another with {option}, or 0 for a free one."
            ) from error
    return port


def make_loopback_url(port: int) -> str:
    """Return the URL of a port of the loopback address, without a slash at the end."""
    return f"http://{LOOPBACK}:{port}"


def make_no_proxy_variables(environment: dict[str, str]) -> dict[str, str]:
    """Return variables that keep loopback connections away from the machine's web proxy."""
    known = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [known, LOOPBACK, "localhost"]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}
