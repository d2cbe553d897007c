"""Starts nbgrader's kernels so that no other account can listen to them.

Every account can connect to a kernel's ports and read what it publishes, such as the output of
hidden tests, without a key. Sockets in a private folder are their owner's only.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import default


class SocketKernelManager(AsyncKernelManager):
    """Starts a kernel on Unix sockets with unique names.

    Jupyter's default name is relative if there is no connection file yet, and the kernel starts
    in another folder.
    """

    @default("transport")  # type: ignore[untyped-decorator]
    def _default_transport(self) -> str:
        return "ipc"

    @default("ip")  # type: ignore[untyped-decorator]
    def _default_socket_prefix(self) -> str:
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(folder / f"nb-{secrets.token_hex(8)}")
