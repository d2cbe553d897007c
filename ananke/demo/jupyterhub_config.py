"""The demo's hub: Kore's own configuration, with the values of ``ananke.demo.programs``."""

import json
import os
import secrets
import sys
from pathlib import Path

from kore.host import LocalHost
from kore.hub.config import Deployment, configure
from kore.hub.local_server import LocalServer

c = get_config()

_demo = json.loads(os.environ["ANANKE_DEMO"])
_state = Path(_demo["state_dir"])
_homes = _state / "homes"
_accounts = Path(_demo["accounts"]) if _demo["accounts"] else None
# The demo has ended what an earlier one left. The number in this file may be that of any other
# process by now, and JupyterHub kills whatever has it.
(_state / "hub" / "proxy.pid").unlink(missing_ok=True)
_host = LocalHost(homes=_homes, exchange=_state / "exchange", accounts=_accounts)

configure(
    c,
    Deployment(
        host=_host,
        accounts=_demo["accounts"],
        # No other program can know this name and take it first: it is made now.
        executor=f"@ananke-executor-{secrets.token_hex(8)}" if _demo["accounts"] else "",
        homes=_homes,
        hub_dir=_state / "hub",
        kore_dir=_state / "kore",
        python=sys.executable,
        public_url=_demo["hub"],
        hub_url=_demo["hub_api"],
        proxy_api_url=_demo["proxy_api"],
        kore_url=_demo["kore"],
        proxy_command=_demo["proxy_command"],
        spawner_class=LocalServer,
        # The demo has warned that everything runs as root in this case.
        server_args=["--allow-root"] if os.geteuid() == 0 and not _demo["accounts"] else [],
        environment=_demo["environment"],
        kore_environment=_demo["kore_environment"],
        service_wrapper=[
            sys.executable,
            "-m",
            "ananke.demo.supervise",
            str(_state / "logs" / "{name}.log"),
        ],
    ),
)

c.LocalServer.host = _host
c.LocalServer.homes = str(_homes)
c.LocalServer.logs = str(_state / "logs")
# The demo promises to end within ten seconds of Ctrl-C.
c.LocalServer.interrupt_timeout = 3
c.LocalServer.term_timeout = 1
c.LocalServer.kill_timeout = 1

load_subconfig(_demo["lms_config"])
