"""Checks before the demo starts anything: Node, JupyterHub's proxy, a ``30_lms.py``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from ananke.errors import AnankeError, Exit

_MIN_NODE_VERSION = 20
_LTI_NAMES = ("client_id", "issuer", "authorize_url", "jwks_endpoint")
_INSTALL_HINT = "Install what the demo needs with: make setup"


def get_search_path() -> str:
    """Return the PATH on which the demo finds its programs: its own environment first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def find_proxy_command() -> list[str]:
    """Return the command line of configurable-http-proxy: Node and the script.

    Raises AnankeError if Node is missing or too old, or if the proxy is missing.
    """
    node = shutil.which("node", path=get_search_path())
    if node is None:
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"JupyterHub's proxy needs Node {_MIN_NODE_VERSION} or newer, but Node is not "
            "installed.",
            _INSTALL_HINT,
        )
    version = _read_node_version(node)
    if version < _MIN_NODE_VERSION:
        found = f"{node} is version {version}" if version else f"{node} does not work"
        raise AnankeError(
            Exit.SOFTWARE_MISSING,
            f"JupyterHub's proxy needs Node {_MIN_NODE_VERSION} or newer, but {found}.",
            _INSTALL_HINT,
        )
    name = "configurable-http-proxy"
    own = Path(sys.prefix) / "share" / "proxy" / "node_modules" / ".bin" / name
    script = str(own) if own.exists() else shutil.which(name, path=get_search_path())
    if script is None:
        raise AnankeError(
            Exit.SOFTWARE_MISSING, f"JupyterHub's proxy, {name}, is not installed.", _INSTALL_HINT
        )
    return [node, str(Path(script).resolve())]


def _read_node_version(node: str) -> int:
    """Return Node's major version; 0 if it cannot be run."""
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.match(r"v(\d+)\.", answer.stdout)
    return int(match[1]) if match else 0


def read_issuer(path: Path) -> str:
    """Return the issuer in a ``30_lms.py``; raise AnankeError if the file is not a valid one.

    The file is Python and is run, here and later by the hub: it is the administrator's own.
    """
    try:
        path.read_bytes()
    except OSError as error:
        raise _make_lms_config_error(path, f"cannot be read: {error.strerror}") from error
    try:
        config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except SyntaxError as error:
        reason = f"is not valid Python: line {error.lineno}: {error.msg}"
        raise _make_lms_config_error(path, reason) from error
    except (Exception, SystemExit) as error:
        reason = f"fails when it is run: {type(error).__name__}: {error}"
        raise _make_lms_config_error(path, reason) from error
    section: dict[str, Any] = config.get("LTI13Authenticator", {})
    missing = [name for name in _LTI_NAMES if not section.get(name)]
    if missing:
        names = ", ".join(f"c.LTI13Authenticator.{name}" for name in missing)
        raise _make_lms_config_error(path, f"does not set {names}")
    issuer = section["issuer"]
    if not isinstance(issuer, str) or not issuer.startswith(("http://", "https://")):
        raise _make_lms_config_error(path, "names an issuer that is not an http(s) URL")
    return issuer


def _make_lms_config_error(path: Path, reason: str) -> AnankeError:
    return AnankeError(
        Exit.LMS_CONFIG,
        f"The LMS configuration {path} {reason}.",
        "It has the form of a container's 30_lms.py: client_id, issuer, authorize_url, "
        "jwks_endpoint and access_token_url of c.LTI13Authenticator.",
    )
