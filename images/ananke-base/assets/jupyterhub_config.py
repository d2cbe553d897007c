"""The container's hub: Kore's own configuration, then jupyterhub_config.d in the order of names.

The files of the container definition are read last and win.
"""

import os
from pathlib import Path

from traitlets.config.loader import PyFileConfigLoader

from kore.host import SystemdHost
from kore.hub.config import Deployment, configure
from kore.hub.systemd_server import EXECUTOR

c = get_config()

STATE = Path("/var/lib/jupyterhub")
RUN = Path("/run/jupyterhub")
HOMES = Path("/home")
# The image with nbgrader sets this variable in the hub's unit.
WITH_KORE = os.environ.get("ANANKE_KORE") == "1"

folder = Path("/etc/jupyterhub/jupyterhub_config.d")
files = sorted(path.name for path in folder.glob("*.py"))


def read_section(section: str) -> dict:
    """Return what the files set in a section: the configuration below depends on it."""
    found: dict = {}
    for name in files:
        config = PyFileConfigLoader(name, path=str(folder)).load_config()
        found |= config.get(section, {})
    return found


base = f"/{str(read_section('JupyterHub').get('base_url', '/')).strip('/')}/".replace("//", "/")
# Settings that no program has itself: how long servers can idle, Kore's limits.
ananke = read_section("Ananke")
# For /opt/ananke/bin/ready.
(RUN / "base_url").write_text(base, "utf-8")

host = SystemdHost(
    homes=HOMES, exchange=Path("/opt/nbgrader_exchange"), accounts=STATE / "accounts"
)
host.restore_accounts()

# Certificates, and the web proxy except for connections inside the container.
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
        run_dir=RUN,
        kore_dir=Path("/var/lib/kore"),
        python="/opt/hub/bin/python",
        public_url=f"http://0.0.0.0:8000{base}",
        hub_url="http://127.0.0.1:8081",
        proxy_api_url="http://127.0.0.1:8001",
        kore_url="http://127.0.0.1:8002" if WITH_KORE else "",
        executor=str(EXECUTOR) if WITH_KORE else "",
        kore_environment={**ananke.get("kore_environment", {}), "KORE_HOST": "container"},
        idle_seconds=int(ananke.get("cull_idle_seconds", 3600)),
        cull_every_seconds=int(ananke.get("cull_every_seconds", 600)),
        proxy_command=[
            "/opt/proxy/bin/node",
            "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
        ],
        spawner_class="kore.hub.systemd_server.SystemdServer",
        environment=passed_on,
        # Only the hub is root: its helpers have an account without rights, and Kore has its own.
        service_wrapper=["/opt/ananke/bin/as", "{name}"],
        kernels=Path("/opt/python3/share/jupyter"),
        path="/opt/python3/env/bin:/usr/local/bin:/usr/bin:/bin:/opt/hub/bin",
    ),
)

# People's servers keep running while the hub is restarted, and are found again.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.log_level = "INFO"
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2.0
c.SystemdSpawner.default_shell = "/bin/bash"

for name in files:
    load_subconfig(str(folder / name))

# Everything above was built with this value, so it cannot be changed later.
c.JupyterHub.base_url = base
