"""The container's hub: Kore's own configuration, then jupyterhub_config.d in name order.

What a container definition's files say comes last and wins.
"""

import os
from pathlib import Path

from traitlets.config.loader import PyFileConfigLoader

from kore.host import SystemdHost
from kore.hub.config import Deployment, configure
from kore.hub.systemd_server import EXECUTOR

c = get_config()

STATE = Path("/var/lib/jupyterhub")
HOMES = Path("/home")
# The image with nbgrader sets this in the hub's unit.
WITH_KORE = os.environ.get("ANANKE_KORE") == "1"

folder = Path("/etc/jupyterhub/jupyterhub_config.d")
files = sorted(path.name for path in folder.glob("*.py"))


def said(section: str) -> dict:
    """Return what the files say of a section: what follows is built on it."""
    found: dict = {}
    for name in files:
        config = PyFileConfigLoader(name, path=str(folder)).load_config()
        found |= config.get(section, {})
    return found


base = f"/{str(said('JupyterHub').get('base_url', '/')).strip('/')}/".replace("//", "/")
# What is no program's own setting: how long servers may idle, Kore's limits.
ours = said("Ananke")
# For /opt/ananke/bin/ready.
Path("/run/jupyterhub/base_url").write_text(base, "utf-8")

host = SystemdHost(
    homes=HOMES, exchange=Path("/opt/nbgrader_exchange"), accounts=STATE / "accounts"
)
host.restore_accounts()

# Certificates, and no way round by a web proxy for what stays in the container.
passed_on = {
    name: value
    for name, value in os.environ.items()
    if name in {"LANG", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    or name.lower() in {"http_proxy", "https_proxy"}
}
local = ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1", "localhost"]))
passed_on |= {"no_proxy": local, "NO_PROXY": local}

configure(
    c,
    Deployment(
        host=host,
        course_accounts=host,
        homes=HOMES,
        hub_dir=STATE,
        kore_dir=Path("/var/lib/kore"),
        python="/opt/hub/bin/python",
        public_url=f"http://0.0.0.0:8000{base}",
        hub_url="http://127.0.0.1:8081",
        proxy_api_url="http://127.0.0.1:8001",
        kore_url="http://127.0.0.1:8002" if WITH_KORE else "",
        executor=str(EXECUTOR) if WITH_KORE else "",
        kore_environment={**ours.get("kore_environment", {}), "KORE_HOST": "container"},
        idle_seconds=int(ours.get("cull_idle_seconds", 3600)),
        cull_every_seconds=int(ours.get("cull_every_seconds", 600)),
        proxy_command=[
            "/opt/proxy/bin/node",
            "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
        ],
        spawner_class="kore.hub.systemd_server.SystemdServer",
        environment=passed_on,
        # Only the hub is root: its helpers are nobody's, and Kore has an account of its own.
        service_wrapper=["/opt/ananke/bin/as", "{name}"],
        kernels=Path("/opt/python3/share/jupyter"),
        path="/opt/python3/env/bin:/usr/local/bin:/usr/bin:/bin:/opt/hub/bin",
    ),
)

# People's servers run on while the hub is restarted, and are found again.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.log_level = "INFO"
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2.0
c.SystemdSpawner.default_shell = "/bin/bash"

for name in files:
    load_subconfig(str(folder / name))

# Said once for all: what is below was built on it.
c.JupyterHub.base_url = base
