"""JupyterHub's side of Kore, loaded by the hub's process.

``config`` configures the hub. ``authenticator`` signs people in from an LMS: ``handlers`` and
``login_finish`` are its steps, ``tokens`` and ``keysets`` verify what the LMS says, ``refusals``
and ``pages`` answer a launch that fails. ``spawning`` starts servers, as processes
(``local_server``) or systemd's units (``systemd_server``).
"""
