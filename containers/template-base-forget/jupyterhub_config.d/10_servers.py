# People's servers: how many, how large, how long they can idle, and what is left of them.

import shutil
from pathlib import Path

c = get_config()

# One server for each person: otherwise one server would remove the files of another one.
c.JupyterHub.allow_named_servers = False

# For each server: memory, and processors (2.0 is 200 %).
c.SystemdSpawner.mem_limit = "2G"
c.SystemdSpawner.cpu_limit = 2.0

# Servers that no one has used for this long are stopped, and those of people who sign out.
c.Ananke.cull_idle_seconds = 3600
c.Ananke.cull_every_seconds = 600
c.JupyterHub.shutdown_on_logout = True


def forget(spawner):
    """Remove a person's files when their server has ended; a course's files are kept."""
    name = spawner.user.name
    if name.startswith("u"):
        shutil.rmtree(Path("/var/lib/private") / name, ignore_errors=True)


c.Spawner.post_stop_hook = forget
