"""The machine below Kore: the only package that touches folders' owners, modes and processes."""

from __future__ import annotations

from pathlib import Path

from kore.host.base import Host, HostError
from kore.host.local import LocalHost
from kore.host.separate import SeparateHost
from kore.host.systemd import CourseFolders, SystemdHost

__all__ = [
    "Host",
    "HostError",
    "LocalHost",
    "SeparateHost",
    "SystemdHost",
    "open_host",
]


def open_host(*, homes: Path, exchange: Path, accounts: str = "", kind: str = "") -> Host:
    """Return the machine.

    ``accounts`` is the folder of given-out accounts, if there are any. ``kind`` is
    ``container`` for Kore in a container, where accounts are the hub's business.
    """
    if kind == "container":
        return CourseFolders(homes=homes, exchange=exchange)
    if not accounts:
        return LocalHost(homes=homes, exchange=exchange)
    return SeparateHost(homes=homes, exchange=exchange, accounts=Path(accounts))
