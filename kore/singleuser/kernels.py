"""Starts kernels so that no other account can listen to them.

Every account can connect to a kernel's ports and read what it publishes, such as the output of
hidden tests, without a key. Sockets in a private folder are their owner's only.
"""

from __future__ import annotations

import atexit
import functools
import secrets
import shutil
import tempfile
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import HasTraits, default


class _PrivateSockets(HasTraits):  # type: ignore[misc]
    """Defaults of a kernel manager: Unix sockets with unique names in a private folder.

    Jupyter's default name is relative if there is no connection file yet, and the kernel starts
    in another folder; else it begins with the runtime folder's, whose path may be too long.
    """

    @default("transport")  # type: ignore[untyped-decorator]
    def _default_transport(self) -> str:
        return "ipc"

    @default("ip")  # type: ignore[untyped-decorator]
    def _default_socket_prefix(self) -> str:
        return str(_socket_folder() / secrets.token_hex(8))


class SocketKernelManager(_PrivateSockets, AsyncKernelManager):
    """Starts the kernels of nbgrader's runs."""


class ServerSocketKernelManager(_PrivateSockets, ServerKernelManager):  # type: ignore[misc]
    """Starts the kernels of a single-user server."""


@functools.cache
def _socket_folder() -> Path:
    """Return a new folder that only this account can enter, removed when this process ends.

    It has a short path, because Linux limits those of sockets to 107 bytes: unix(7).
    """
    folder = tempfile.mkdtemp(prefix="kernels-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
