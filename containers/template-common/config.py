# What the container is. `ananke` reads this file and never runs it: plain values only.
# `ananke create --help` shows what each key can be.

# The image: made by `ananke build` or loaded by `ananke load`.
config['image_name'] = None

# FILL IN. The port of the hub on this host, from 1024 to 65535, not used by another
# container. With '127.0.0.1:8000' only a reverse proxy on this host can reach the hub.
config['port'] = None

# Memory for all servers together: '8g', 'max' (no limit), or 'interactive' (ask).
config['memory'] = 'max'

# Processors for all servers together: 4, 2.5, 'max' (no limit), or 'interactive' (ask).
config['cpus'] = 'max'

# GPUs: [] for none, 'all', a CDI name such as 'nvidia.com/gpu=0', a list of names,
# or 'interactive' (ask).
config['gpus'] = []

# Folders of this host: 'FOLDER:PATH IN THE CONTAINER', with ':ro' at the end for read-only.
# Example: ['/data/lectures:/srv/lectures:ro', '/data/exchange:/srv/shared']
config['volumes'] = []

# Extra arguments for `podman create`, each an item of the list.
config['podman_args'] = []

# What this host must have: 'podman>=4.4', 'ananke>=0.6', 'gpu', 'path:/data/lectures'.
config['requires'] = []
