"""Kernels that nobody else on the machine can listen to, for nbgrader's own runs of notebooks.

A kernel's ports are open to every account; what it publishes, such as the output of hidden
tests, needs no key to be read. Sockets in a folder are their owner's.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default


class SocketKernelManager(AsyncKernelManager):
    """Starts a kernel on Unix sockets with names of their own.

    Jupyter's own name for them is relative where the connection file has none yet, and the
    kernel starts in another folder.
    """

    @default("transport")  # type: ignore[untyped-decorator]
    def _own_transport(self) -> str:
        return "ipc"

    @default("ip")  # type: ignore[untyped-decorator]
    def _own_sockets(self) -> str:
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(folder / f"nb-{secrets.token_hex(8)}")
