"""The environment of kernels that run other people's code."""

from __future__ import annotations

import os


def kernel_environment() -> dict[str, str]:
    """Return this process's environment without tokens and Kore's own variables."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTERHUB_", "KORE_", "JPY_", "CONFIGPROXY_"))
    }
