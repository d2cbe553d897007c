"""Single-user servers as systemd's transient units: the container's spawner.

People's servers run as dynamic users whose home is a state directory; a course's server
runs as the course's account. Both see a file system that is read-only but for their home.
"""

from __future__ import annotations

from typing import Any

from systemdspawner import SystemdSpawner
from traitlets import Unicode

from kore.host import is_course_user

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
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    # Commands of systemd would tell everyone's units: their sockets are out of reach.
    "InaccessiblePaths": "-/run/dbus -/run/systemd/private -/run/jupyterhub -/run/log "
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


class SystemdServer(SystemdSpawner):  # type: ignore[misc]
    """A server as a unit: of a dynamic user for a person, of a fixed account for a course."""

    runtime_dir = Unicode(
        "/tmp/jupyter",  # noqa: S108 - each unit has a /tmp of its own
        config=True,
        help="Where kernels' sockets lie: a short path, as the kernel limits theirs.",
    )

    async def start(self) -> Any:
        """Start the server; return its address and port."""
        name: str = self.user.name
        if is_course_user(name):
            home = f"/home/{name}"
            self.dynamic_users = False
            self.user_workingdir = home
            self.unit_extra_properties = {
                **PROPERTIES,
                "BindPaths": home,
                "ReadWritePaths": home,
            }
        else:
            self.dynamic_users = True
            self.unit_extra_properties = {
                **PROPERTIES,
                "User": name,
                "StateDirectoryMode": "0700",
            }
        return await super().start()

    def get_env(self) -> dict[str, str]:
        """Return the server's environment."""
        environment: dict[str, str] = super().get_env()
        environment["JUPYTER_RUNTIME_DIR"] = self.runtime_dir
        return environment
