"""The machine below Kore: where things lie, who owns them, and as whom servers run.

Only this package touches folders' owners, accounts and processes. ``layout`` is where things
lie. ``courses`` is what Kore's service does with courses' folders. ``local`` (the demo) and
``systemd`` (a container) are the hub's: they make homes and accounts, and start servers.
"""

from __future__ import annotations

from pathlib import Path

from kore.host.courses import CourseFolders, HubMadeFolders
from kore.host.errors import HostError
from kore.host.layout import Layout
from kore.host.local import LocalHost
from kore.host.systemd_accounts import SystemdHost

__all__ = [
    "CourseFolders",
    "HostError",
    "HubMadeFolders",
    "Layout",
    "LocalHost",
    "SystemdHost",
    "open_course_folders",
]


def open_course_folders(
    *, homes: Path, exchange: Path, accounts: str = "", kind: str = ""
) -> CourseFolders:
    """Return courses' folders for Kore's service.

    ``accounts`` is the folder of assigned accounts, "" where one account owns everything.
    ``kind`` is ``container`` in a container, where folders and accounts are the hub's business.
    """
    if kind == "container":
        return HubMadeFolders(homes=homes, exchange=exchange)
    return LocalHost(homes=homes, exchange=exchange, accounts=Path(accounts) if accounts else None)
