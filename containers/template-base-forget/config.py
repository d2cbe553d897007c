# What the container is. Read by `ananke`, never run: values only, no expressions.
# `ananke create --help` tells what each key may be.

# The image: built by `ananke build` or loaded by `ananke load`.
config['image_name'] = 'ananke-base'

# FILL IN. The port on this host on which the hub is found, 1024 to 65535, not used by
# another container. '127.0.0.1:8000' lets only a reverse proxy on this host reach it.
config['port'] = None

# Memory for all servers together: '8g', 'max' (no limit), or 'interactive' (asked).
config['memory'] = 'max'

# Processors for all servers together: 4, 2.5, or 'max'.
config['cpus'] = 'max'

# GPUs: [] for none, 'all', a CDI name such as 'nvidia.com/gpu=0', a list of names,
# or 'interactive' (asked).
config['gpus'] = []

# Folders of this host: 'FOLDER:PLACE IN THE CONTAINER', ':ro' at the end to read only.
# Example: ['/data/lectures:/srv/lectures:ro', '/data/exchange:/srv/shared']
config['volumes'] = []

# Further arguments to `podman create`, one an item.
config['podman_args'] = []

# What this host must have: 'podman>=4.4', 'ananke>=0.6', 'gpu', 'path:/data/lectures'.
config['requires'] = []
