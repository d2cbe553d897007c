"""What can be known to fail before anything is started: ports, Node, the proxy, a 30_lms.py."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from ananke.errors import AnankeError, Exit

LOOPBACK = "127.0.0.1"
_OLDEST_NODE = 20
_PORTS = range(20000, 32000)
_claims: list[socket.socket] = []
_LTI_NAMES = ("client_id", "issuer", "authorize_url", "jwks_endpoint")
_INSTALL = "Install what the demo needs with: make setup"


def free_port() -> int:
    """Return a port of the loopback address for a program that this process starts.

    Until that program listens, two who ask at the same time could be given the same one: a
    name in the kernel's abstract namespace keeps it for this process (unix(7)). The ports
    are below those that the kernel gives to connections (ip_local_port_range).
    """
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0ananke-port-{port}")
            with socket.socket() as probe:
                probe.bind((LOOPBACK, port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise AnankeError(Exit.PORT_TAKEN, "No port is free.", "End programs that listen on ports.")


def checked_port(port: int, option: str) -> int:
    """Return the port, or a free one for 0; raise AnankeError if it cannot be had."""
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        # A connection that ended a moment ago does not hold a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                message = f"Port {port} is reserved for the system's administrator."
            elif error.errno == errno.EADDRINUSE:
                message = f"Port {port} is taken by another program."
            else:
                message = f"Port {port} cannot be used: {error.strerror}."
            raise AnankeError(
                Exit.PORT_TAKEN, message, f"Choose another with {option}, or 0 for a free one."
            ) from error
    return port


def search_path() -> str:
    """Return the PATH on which the demo's programs are found: its own environment first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def proxy_command() -> list[str]:
    """Return how configurable-http-proxy is run: Node and the script.

    Raises AnankeError where Node is missing or too old, or the proxy is missing.
    """
    node = shutil.which("node", path=search_path())
    if node is None:
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"JupyterHub's proxy needs Node {_OLDEST_NODE} or newer, and there is none.",
            _INSTALL,
        )
    version = _node_version(node)
    if version < _OLDEST_NODE:
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"JupyterHub's proxy needs Node {_OLDEST_NODE} or newer; {node} is "
            f"{f'version {version}' if version else 'not working'}.",
            _INSTALL,
        )
    name = "configurable-http-proxy"
    own = Path(sys.prefix) / "share" / "proxy" / "node_modules" / ".bin" / name
    script = str(own) if own.exists() else shutil.which(name, path=search_path())
    if script is None:
        raise AnankeError(
            Exit.SOFTWARE_MISSING, f"JupyterHub's proxy, {name}, is not installed.", _INSTALL
        )
    return [node, str(Path(script).resolve())]


def _node_version(node: str) -> int:
    """Return Node's major version; 0 where it cannot be run."""
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 0


def lms_issuer(path: Path) -> str:
    """Return the issuer that a ``30_lms.py`` names; raise AnankeError where it is no such file.

    The file is Python and is run, here as later by the hub: it is the administrator's own.
    """
    try:
        path.read_bytes()
    except OSError as error:
        raise _bad_lms(path, f"cannot be read: {error.strerror}") from error
    try:
        config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except SyntaxError as error:
        raise _bad_lms(path, f"is not valid Python: line {error.lineno}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        raise _bad_lms(path, f"fails when it is run: {type(error).__name__}: {error}") from error
    section: dict[str, Any] = config.get("LTI13Authenticator", {})
    missing = [name for name in _LTI_NAMES if not section.get(name)]
    if missing:
        names = ", ".join(f"c.LTI13Authenticator.{name}" for name in missing)
        raise _bad_lms(path, f"does not set {names}")
    issuer = section["issuer"]
    if not isinstance(issuer, str) or not issuer.startswith(("http://", "https://")):
        raise _bad_lms(path, "names an issuer that is not an http(s) address")
    return issuer


def _bad_lms(path: Path, why: str) -> AnankeError:
    return AnankeError(
        Exit.LMS_CONFIG,
        f"The LMS configuration {path} {why}.",
        "It takes the form of a container's 30_lms.py: client_id, issuer, authorize_url, "
        "jwks_endpoint and access_token_url of c.LTI13Authenticator.",
    )
