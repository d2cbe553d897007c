"""The machine below Kore: the only package that touches folders' owners, modes and processes."""

from __future__ import annotations

from pathlib import Path

from kore.host.base import Host, HostError, is_course_user
from kore.host.local import LocalHost
from kore.host.separate import SeparateHost

__all__ = ["Host", "HostError", "LocalHost", "SeparateHost", "is_course_user", "open_host"]


def open_host(*, homes: Path, exchange: Path, accounts: str = "") -> Host:
    """Return the machine. ``accounts`` is the folder of given-out accounts, if there are any."""
    if not accounts:
        return LocalHost(homes=homes, exchange=exchange)
    return SeparateHost(homes=homes, exchange=exchange, accounts=Path(accounts))
