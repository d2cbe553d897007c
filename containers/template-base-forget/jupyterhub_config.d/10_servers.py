# People's servers: how many, how large, and how long they may idle.

c = get_config()

# Servers that a person may have beside the usual one.
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 3

# For each server: memory, and processors (2.0 is 200 %).
c.SystemdSpawner.mem_limit = "2G"
c.SystemdSpawner.cpu_limit = 2.0

# Servers that nobody has used for so long are stopped.
c.Ananke.cull_idle_seconds = 3600
c.Ananke.cull_every_seconds = 600

# Everybody's files are removed when their server ends, and when they sign out.
c.Ananke.forget_homes = True
