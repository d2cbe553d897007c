"""How the demo runs its two programs, the embedded LMS and JupyterHub; the hub runs the rest."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ananke.demo import preflight
from ananke.demo.logs import RunLogs
from ananke.demo.ports import make_no_proxy_variables
from ananke.demo.processes import TAG, Program
from ananke.demo.state import StateDirectory

# Settings for another hub in the environment must not change the demo.
_REMOVED_PREFIXES = ("JUPYTER", "KORE_", "CONFIGPROXY_", "NBGRADER_", "ANANKE_", "GUNICORN_")
# Kore's own settings that do not say where the demo's parts are: doc/src/reference/settings.md.
_KORE_SETTINGS = ("KORE_DATABASE_URL", "KORE_THREADS", "KORE_JOB_THREADS", "KORE_PLATFORM_REQUESTS")
_KORE_LIMITS = "KORE_LIMIT_"
_HUB_SERVICES = ("kore", "proxy", "culler", "executor")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is. No URL has a slash at the end."""

    lms: str
    hub: str
    hub_api: str
    proxy_api: str
    kore_direct: str

    @property
    def kore(self) -> str:
        """Kore as a browser sees it."""
        return f"{self.hub}/services/kore"


def make_lms_program(addresses: Addresses, state: StateDirectory, logs: RunLogs) -> Program:
    """Return the embedded LMS as a program."""
    return Program(
        title="The LMS",
        argv=[
            sys.executable,
            "-m",
            "ananke.demo.lms",
            f"--port={addresses.lms.rpartition(':')[2]}",
            f"--tool-url={addresses.hub}",
            f"--state-dir={state.lms}",
        ],
        log=logs.open_log("lms"),
        cwd=state.lms,
        environment=_make_environment(state),
    )


def make_hub_program(
    addresses: Addresses,
    state: StateDirectory,
    logs: RunLogs,
    *,
    lms_config: Path,
    proxy_command: list[str],
    accounts: str,
) -> Program:
    """Return JupyterHub as a program; its configuration reads ``ANANKE_DEMO``.

    ``accounts`` is the folder of assigned accounts, empty if everything runs as one account.
    """
    for name in _HUB_SERVICES:
        logs.open_log(name)
    environment = _make_environment(state)
    passed_on = (TAG, *make_no_proxy_variables(environment), "PYTHONUNBUFFERED")
    configuration = {
        "state_dir": str(state.path),
        "hub": addresses.hub,
        "hub_api": addresses.hub_api,
        "proxy_api": addresses.proxy_api,
        "kore": addresses.kore_direct,
        "proxy_command": proxy_command,
        "lms_config": str(lms_config.resolve()),
        "accounts": accounts,
        # The hub passes on little of its own environment.
        "environment": {name: environment[name] for name in passed_on},
        "kore_environment": read_kore_settings(),
    }
    return Program(
        title="JupyterHub",
        argv=[
            sys.executable,
            "-m",
            "jupyterhub",
            "-f",
            str(Path(__file__).parent / "jupyterhub_config.py"),
        ],
        log=logs.open_log("hub"),
        cwd=state.hub,
        environment={**environment, "ANANKE_DEMO": json.dumps(configuration)},
    )


def read_kore_settings() -> dict[str, str]:
    """Return the settings for Kore that the demo was started with; only Kore gets them."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KORE_SETTINGS or name.startswith(_KORE_LIMITS)
    }


def write_embedded_lms_config(addresses: Addresses, state: StateDirectory) -> Path:
    """Write the embedded LMS's ``30_lms.py`` for the hub; return its path."""
    from ananke.demo.lms import LmsConfig  # noqa: PLC0415

    lms = LmsConfig(url=addresses.lms, tool_url=addresses.hub, state_dir=state.lms)
    path = state.hub / "30_lms.py"
    path.write_text(
        "# The embedded LMS, in the form of a container's 30_lms.py. Written at each start.\n\n"
        "c = get_config()\n\n"
        f"c.LTI13Authenticator.client_id = [{lms.client_id!r}]\n"
        f"c.LTI13Authenticator.issuer = {lms.issuer!r}\n"
        f"c.LTI13Authenticator.authorize_url = {lms.authorize_url!r}\n"
        f"c.LTI13Authenticator.jwks_endpoint = {lms.jwks_url!r}\n"
        f"c.LTI13Authenticator.access_token_url = {lms.token_url!r}\n"
        f"c.LTI13Authenticator.deployment_ids = [{lms.deployment_id!r}]\n",
        "utf-8",
    )
    return path


def _make_environment(state: StateDirectory) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_REMOVED_PREFIXES)
    }
    return {
        **inherited,
        "PATH": preflight.get_search_path(),
        "PYTHONUNBUFFERED": "1",
        **make_no_proxy_variables(inherited),
        TAG: str(state.path),
    }
