"""The checks of ``ananke doctor``: this host, its Podman, and what is reached over the network."""
