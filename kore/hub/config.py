"""Configures the hub, for the demo and for the container.

A hub's configuration file calls ``configure(c, deployment)``. ``Deployment`` has what differs
between two ways to run. Nothing here depends on courses: they come and go while the hub runs.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kore.hub import spawning, upstream
from kore.hub.machine import CourseAccounts, Homes

_TEMPLATES = Path(__file__).parent / "templates"
_TOKEN_BYTES = 32
_START_SECONDS = 120
_SERVICE_POLL_SECONDS = 1
_KORE = "access:services!service=kore"

KORE_SCOPES = [
    "admin:users",
    "admin:groups",
    "servers",
    "access:servers",
    "shares",
]
"""What Kore needs: courses' users, groups and servers, and sharing those servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What differs between one way to run and another.

    ``hub_dir`` and ``kore_dir`` keep the two programs' state; ``public_url`` is where
    browsers find the hub, ``hub_url``, ``proxy_api_url`` and ``kore_url`` are loopback
    addresses with ports. ``host`` makes homes; ``course_accounts`` makes the accounts of courses
    that the hub adds, None where they need none. ``accounts`` is the folder of assigned Unix
    accounts, empty where everything runs as one.

    ``executor`` is the socket of the program that runs students' notebooks
    (``kore.executor``), empty where there is none; for an abstract one (``@...``) the hub
    starts that program as a service with the ``accounts``. ``kore_url`` is empty for a hub
    without Kore. ``kore_environment`` is for Kore only. ``service_wrapper`` precedes a
    service's command: it decides where output goes, what ends with it, and which account
    it runs as. ``kernels`` is a folder of Jupyter data with the kernels that everyone has,
    ``path`` the servers' search path. ``run_dir`` is a folder that ends with the hub's unit, for
    what must not outlive it; None keeps that in ``hub_dir``.
    """

    host: Homes
    homes: Path
    hub_dir: Path
    kore_dir: Path
    python: str
    public_url: str
    hub_url: str
    proxy_api_url: str
    kore_url: str
    proxy_command: list[str]
    spawner_class: type | str
    course_accounts: CourseAccounts | None = None
    accounts: str = ""
    executor: str = ""
    server_args: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    kore_environment: dict[str, str] = field(default_factory=dict)
    service_wrapper: list[str] = field(default_factory=list)
    kernels: Path = spawning.KERNELS
    path: str = ""
    run_dir: Path | None = None
    idle_seconds: int = 3600
    cull_every_seconds: int = 60
    concurrent_spawns: int = 10
    max_servers: int = 0

    def command(self, name: str, *argv: str) -> list[str]:
        """Return a service's command line behind the wrapper (``{name}`` is filled in)."""
        return [*(part.replace("{name}", name) for part in self.service_wrapper), *argv]


def configure(c: Any, deployment: Deployment) -> None:
    """Set a hub's configuration ``c`` (traitlets ``Config``).

    The LMS is not part of it: a ``30_lms.py`` sets ``c.LTI13Authenticator``.
    """
    _configure_addresses(c, deployment)
    _configure_login(c, deployment)
    _configure_servers(c, deployment)
    _configure_services(c, deployment)
    _configure_roles(c, deployment)


def _configure_addresses(c: Any, deployment: Deployment) -> None:
    hub = c.JupyterHub
    hub.bind_url = deployment.public_url
    hub.hub_bind_url = deployment.hub_url
    hub.db_url = f"sqlite:///{deployment.hub_dir / 'jupyterhub.sqlite'}"
    hub.cookie_secret_file = str(deployment.hub_dir / "jupyterhub_cookie_secret")
    hub.template_paths = [str(_TEMPLATES)]
    hub.tornado_settings = {
        "headers": {
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
    }
    c.ConfigurableHTTPProxy.api_url = deployment.proxy_api_url
    c.ConfigurableHTTPProxy.command = deployment.command("proxy", *deployment.proxy_command)
    c.ConfigurableHTTPProxy.pid_file = str((deployment.run_dir or deployment.hub_dir) / "proxy.pid")


def _configure_login(c: Any, deployment: Deployment) -> None:
    c.JupyterHub.authenticator_class = "kore.hub.authenticator.KoreAuthenticator"
    c.KoreAuthenticator.kore_url = deployment.kore_url
    c.KoreAuthenticator.course_accounts = deployment.course_accounts
    # The LMS decides who takes part: every verified launch may sign in.
    c.Authenticator.allow_all = True


def _configure_servers(c: Any, deployment: Deployment) -> None:
    c.JupyterHub.spawner_class = deployment.spawner_class
    c.JupyterHub.concurrent_spawn_limit = deployment.concurrent_spawns
    c.JupyterHub.active_server_limit = deployment.max_servers
    c.Spawner.cmd = [deployment.python, "-m", "jupyterhub.singleuser"]
    c.Spawner.args = deployment.server_args
    c.Spawner.default_url = "/lab"
    # On a busy machine, a person's server may take its time.
    c.Spawner.start_timeout = _START_SECONDS
    c.Spawner.http_timeout = _START_SECONDS
    c.Spawner.environment = {
        "PATH": deployment.path
        or f"{Path(deployment.python).parent}:{os.environ.get('PATH', os.defpath)}",
        **deployment.environment,
    }
    c.Spawner.pre_spawn_hook = spawning.make_pre_spawn_hook(
        deployment.host,
        kore_url=deployment.kore_url,
        kernels=deployment.kernels,
        executor=deployment.executor,
    )
    # What a server may do with its token: report activity, let its owner in, and use the
    # exchange. The first two are JupyterHub's default.
    c.Spawner.server_token_scopes = [
        "users:activity!user",
        "access:servers!server",
        *([_KORE] if deployment.kore_url else []),
    ]


def _configure_services(c: Any, deployment: Deployment) -> None:
    # The hub would restart a service that died only after half a minute.
    upstream.set_service_poll_interval(_SERVICE_POLL_SECONDS)
    # Our tokens have 256 random bits: they need no slow hash for each request.
    c.JupyterHub.trust_user_provided_tokens = True
    c.JupyterHub.services = [
        {
            "name": "culler",
            "command": deployment.command(
                "culler",
                deployment.python,
                "-m",
                "jupyterhub_idle_culler",
                f"--timeout={deployment.idle_seconds}",
                f"--cull-every={deployment.cull_every_seconds}",
            ),
            "api_token": _load_token(deployment.hub_dir, "culler"),
            "environment": deployment.environment,
        },
    ]
    if not deployment.kore_url:
        return
    hub_login = _load_token(deployment.hub_dir, "hub-login")
    c.KoreAuthenticator.launch_token = hub_login
    c.JupyterHub.services += [
        {
            "name": "kore",
            "url": deployment.kore_url,
            "command": deployment.command("kore", deployment.python, "-m", "kore"),
            "api_token": _load_token(deployment.hub_dir, "kore"),
            "oauth_no_confirm": True,
            # On a busy machine Kore may take its time; the hub would stop if it waited less.
            "timeout": 180,
            "environment": {
                **deployment.environment,
                "KORE_STATE_DIR": str(deployment.kore_dir),
                "KORE_HOMES": str(deployment.homes),
                "KORE_EXCHANGE": str(deployment.host.exchange),
                "KORE_ACCOUNTS": deployment.accounts,
                "KORE_PROXY_URL": _loopback_url(deployment.public_url),
                **deployment.kore_environment,
            },
        },
        {"name": "hub-login", "api_token": hub_login},
    ]
    if deployment.executor.startswith("@"):
        c.JupyterHub.services += [_executor_service(deployment)]


def _loopback_url(public_url: str) -> str:
    parts = urlsplit(public_url)
    any_address = parts.hostname in {None, "0.0.0.0", "::"}  # noqa: S104
    return f"{parts.scheme}://{'127.0.0.1' if any_address else parts.hostname}:{parts.port}"


def _executor_service(deployment: Deployment) -> dict[str, Any]:
    module = "kore.executor.server"
    return {
        "name": "executor",
        "command": deployment.command(
            "executor", deployment.python, "-m", module, deployment.executor
        ),
        "api_token": _load_token(deployment.hub_dir, "executor"),
        "environment": {**deployment.environment, "KORE_ACCOUNTS": deployment.accounts},
    }


def _configure_roles(c: Any, deployment: Deployment) -> None:
    c.JupyterHub.load_roles = [
        {"name": "user", "scopes": ["self", *([_KORE] if deployment.kore_url else [])]},
        {
            "name": "culler",
            "services": ["culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        },
    ]
    if deployment.kore_url:
        c.JupyterHub.load_roles += [
            {"name": "kore", "services": ["kore"], "scopes": KORE_SCOPES},
            {"name": "hub-login", "services": ["hub-login"], "scopes": [_KORE]},
        ]


def _load_token(hub_dir: Path, service: str) -> str:
    """Return a service's token, created once (mode 0600).

    With a new one at each start, the old ones would stay valid in the hub's database.
    """
    path = hub_dir / f"{service}.token"
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        token = secrets.token_hex(_TOKEN_BYTES)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(token + "\n", "ascii")
        fresh.replace(path)
        return token
