"""JupyterHub's side of Kore.

``api`` is the hub's REST API as the service uses it; everything else here is loaded by the
hub's own process.
"""
