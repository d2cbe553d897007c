# People's servers: how many, how large, and how long they can idle.

c = get_config()

# Extra servers that a person can have besides the usual one.
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 3

# For each server: memory, and processors (2.0 is 200 %).
c.SystemdSpawner.mem_limit = "2G"
c.SystemdSpawner.cpu_limit = 2.0

# Servers that no one has used for this long are stopped, those of courses too. Files are kept,
# and a course's server starts again when a teacher opens the course.
c.Ananke.cull_idle_seconds = 8 * 3600
c.Ananke.cull_every_seconds = 600
