"""Single-user servers as systemd's transient units: the container's spawner.

People's servers run as dynamic users whose home is a state directory; a course's server
runs as the course's account. Both see a file system that is read-only but for their home.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systemdspawner import SystemdSpawner
from traitlets import Unicode

from kore.shared.ids import is_course_id

EXECUTOR = Path("/run/ananke-execute/socket")
"""Where courses' servers have students' notebooks run; people's servers do not see it."""

PROPERTIES = {
    # Nothing of other people, of the hub and of Kore is to be seen or written.
    "ProtectSystem": "strict",
    "ProtectHome": "tmpfs",
    "ProtectProc": "invisible",
    "ProtectControlGroups": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    # No devices of its own: the container's /dev has what its administrator gave it, a GPU say.
    "PrivateTmp": "yes",
    # Commands of systemd would tell everyone's units: their sockets are out of reach.
    "InaccessiblePaths": "-/run/dbus -/run/systemd/private -/run/jupyterhub -/run/log -/run/lock "
    "-/var/log/journal -/var/lib/jupyterhub -/var/lib/kore -/opt/nbgrader_exchange "
    "-/etc/jupyterhub",
    # Nobody becomes somebody else.
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
    # Whatever the person left running ends with the server.
    "KillMode": "mixed",
    "TimeoutStopSec": "20",
}
"""Properties of each server's unit: systemd.exec(5), systemd.resource-control(5)."""


_WHOSE = {"User", "Group", "DynamicUser", "StateDirectory", "StateDirectoryMode"}
# Several on one line add up, and none of ours may be lost.
_ADDED = {"InaccessiblePaths", "BindPaths", "BindReadOnlyPaths", "ReadWritePaths", "ReadOnlyPaths"}


def properties(name: str, asked: Mapping[str, str]) -> dict[str, str]:
    """Return what a user's unit is started with, ``asked`` being an administrator's wishes.

    These win, but for paths, which are added to ours, and for whose unit it is.
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
    theirs = {key: value for key, value in asked.items() if key not in _WHOSE}
    both = {key: f"{ours[key]} {theirs[key]}" for key in ours.keys() & theirs.keys() & _ADDED}
    return {**ours, **theirs, **both}


class SystemdServer(SystemdSpawner):  # type: ignore[misc]
    """A server as a unit: of a dynamic user for a person, of a fixed account for a course."""

    unit_extra_properties: dict[str, str]
    runtime_dir = Unicode(
        "/tmp/jupyter",  # noqa: S108 - each unit has a /tmp of its own
        config=True,
        help="Where kernels' sockets lie: a short path, as the kernel limits theirs.",
    )

    async def start(self) -> Any:
        """Start the server; return its address and port."""
        name: str = self.user.name
        self.dynamic_users = not is_course_id(name)
        if not self.dynamic_users:
            self.user_workingdir = f"/home/{name}"
        asked = self.unit_extra_properties
        self.unit_extra_properties = properties(name, asked)
        try:
            return await super().start()
        finally:
            self.unit_extra_properties = asked

    def get_env(self) -> dict[str, str]:
        """Return the server's environment."""
        environment: dict[str, str] = super().get_env()
        environment["JUPYTER_RUNTIME_DIR"] = self.runtime_dir
        return environment
