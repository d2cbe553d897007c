"""Starts single-user servers as systemd's transient units: the container's spawner.

People's servers run as dynamic users whose home is a state directory; a course's server runs as
the course's account. The file system is read-only for both, except their home.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systemdspawner import SystemdSpawner
from traitlets import Unicode

from kore.shared.ids import is_course_id

EXECUTOR = Path("/run/ananke-execute/socket")
"""The executor's socket. Courses' servers use it; people's servers cannot see it."""

PROPERTIES = {
    # Hide everything of other people, the hub and Kore.
    "ProtectSystem": "strict",
    "ProtectHome": "tmpfs",
    "ProtectProc": "invisible",
    "ProtectControlGroups": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    # Not PrivateDevices: the container's /dev has what its administrator added, such as a GPU.
    "PrivateTmp": "yes",
    # systemd's commands would show everyone's units: hide their sockets.
    "InaccessiblePaths": "-/run/dbus -/run/systemd/private -/run/jupyterhub -/run/log -/run/lock "
    "-/var/log/journal -/var/lib/jupyterhub -/var/lib/kore -/opt/nbgrader_exchange "
    "-/etc/jupyterhub",
    # No way to gain rights.
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "LockPersonality": "yes",
    "RemoveIPC": "yes",
    "SystemCallFilter": "~@mount @swap @reboot @module @raw-io @clock @cpu-emulation @obsolete",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "TasksMax": "4096",
    "RuntimeDirectoryPreserve": "no",
    # All processes of the person end with the server.
    "KillMode": "mixed",
    "TimeoutStopSec": "20",
}
"""Properties of each server's unit: systemd.exec(5), systemd.resource-control(5)."""


_IDENTITY_PROPERTIES = {"User", "Group", "DynamicUser", "StateDirectory", "StateDirectoryMode"}
# Lists of paths: add an administrator's to ours, which must not be lost.
_PATH_LISTS = {
    "InaccessiblePaths",
    "BindPaths",
    "BindReadOnlyPaths",
    "ReadWritePaths",
    "ReadOnlyPaths",
}


def unit_properties(name: str, configured: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of a user's unit, with those that an administrator configured.

    The administrator's win, except paths, which are added to ours, and the unit's account.
    """
    if is_course_id(name):
        home = f"/home/{name}"
        own = {"BindPaths": home, "ReadWritePaths": home}
    else:
        own = {
            "User": name,
            "StateDirectoryMode": "0700",
            "InaccessiblePaths": f"{PROPERTIES['InaccessiblePaths']} -{EXECUTOR.parent}",
        }
    ours = PROPERTIES | own
    theirs = {key: value for key, value in configured.items() if key not in _IDENTITY_PROPERTIES}
    both = {key: f"{ours[key]} {theirs[key]}" for key in ours.keys() & theirs.keys() & _PATH_LISTS}
    return {**ours, **theirs, **both}


class SystemdServer(SystemdSpawner):  # type: ignore[misc]
    """A server as a unit: of a dynamic user for a person, of a fixed account for a course."""

    unit_extra_properties: dict[str, str]
    runtime_dir = Unicode(
        "/tmp/jupyter",  # noqa: S108 - each unit has a /tmp of its own
        config=True,
        help="Folder for the kernels' sockets: a short path, as Linux limits theirs.",
    )

    async def start(self) -> Any:
        """Start the server; return its address and port."""
        name: str = self.user.name
        self.dynamic_users = not is_course_id(name)
        if not self.dynamic_users:
            self.user_workingdir = f"/home/{name}"
        configured = self.unit_extra_properties
        self.unit_extra_properties = unit_properties(name, configured)
        try:
            return await super().start()
        finally:
            self.unit_extra_properties = configured

    def get_env(self) -> dict[str, str]:
        """Return the server's environment."""
        environment: dict[str, str] = super().get_env()
        environment["JUPYTER_RUNTIME_DIR"] = self.runtime_dir
        return environment
