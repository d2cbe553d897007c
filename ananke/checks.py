"""What on a host would break a hub: each check says what it found, and the remedy.

``Host`` is what is looked at: files below ``root`` (another folder in tests), and programs
through the gateway.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ananke.podman import QUADLET_SINCE, Podman
from ananke.requirements import cdi_files
from ananke.unit import controllers

State = Literal["ok", "warn", "bad"]
_NEEDED_IDS = 65536
_OLDEST_PODMAN = (4, 0)
_INOTIFY = 512
_GB = 10**9
_LITTLE_DISK, _NO_DISK = 20 * _GB, 3 * _GB


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``remedy`` is empty where all is well."""

    what: str
    state: State
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Host:
    """A machine, seen by the account that runs hubs on it."""

    podman: Podman
    user: str
    uid: int
    root: Path = Path("/")
    data: Path = field(default_factory=Path.cwd)
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free

    def text(self, path: str) -> str | None:
        """Return what a file of the machine says, None where it cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", "replace")
        except OSError:
            return None

    def has(self, *paths: str) -> bool:
        """Say whether one of the files exists."""
        return any((self.root / path).exists() for path in paths)


def all_checks(host: Host) -> Iterator[Check]:
    """Yield the checks of the machine, the causes of others first."""
    for check in (
        account,
        systemd,
        cgroups,
        delegation,
        user_session,
        lingering,
        subordinate_ids,
        namespaces,
        podman,
        network,
        inotify,
        disk,
        selinux,
        time_sync,
        gpus,
    ):
        yield check(host)


def account(host: Host) -> Check:
    """Hubs belong to an ordinary account: root's containers have root's rights."""
    if host.uid == 0:
        return Check(
            "account",
            "bad",
            "you are root",
            "Sign in as an ordinary user: ssh, or machinectl shell USER@",
        )
    return Check("account", "ok", f"{host.user} ({host.uid})")


def systemd(host: Host) -> Check:
    """Hubs are units of systemd, and run it inside."""
    if host.has("run/systemd/system"):
        return Check("systemd", "ok", "runs this machine")
    return Check("systemd", "bad", "does not run this machine", "Use a host that runs systemd.")


def cgroups(host: Host) -> Check:
    """Systemd in a container needs control groups of version 2."""
    if host.has("sys/fs/cgroup/cgroup.controllers"):
        return Check("cgroups", "ok", "version 2")
    return Check(
        "cgroups",
        "bad",
        "version 1, or mixed",
        "Start the kernel with systemd.unified_cgroup_hierarchy=1.",
    )


def delegation(host: Host) -> Check:
    """Memory and processor limits need controllers that systemd hands to the account."""
    missing = sorted({"cpu", "memory", "pids"} - controllers(host.uid, host.root))
    if not missing:
        return Check("limits", "ok", "memory and processors can be limited")
    return Check(
        "limits",
        "warn",
        f"{', '.join(missing)} cannot be limited by you",
        "As root: mkdir -p /etc/systemd/system/user@.service.d; "
        "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > "
        "/etc/systemd/system/user@.service.d/delegate.conf; systemctl daemon-reload. "
        "Then sign in again.",
    )


def user_session(host: Host) -> Check:
    """Look whether the account's own systemd is there and answers."""
    ran = host.podman.ask(host.podman.systemctl("is-system-running"))
    state = ran.out.strip()
    if state in ("running", "degraded", "starting", "initializing"):
        return Check("user session", "ok", f"systemd answers ({state})")
    words = (ran.err.strip().splitlines() or [state or "no answer"])[0]
    return Check(
        "user session",
        "bad",
        words,
        "Sign in directly (ssh, or machinectl shell USER@; not su or sudo), and have "
        "dbus-user-session installed.",
    )


def lingering(host: Host) -> Check:
    """Without lingering a hub ends when its account signs out."""
    ran = host.podman.ask(["loginctl", "show-user", str(host.uid), "--property=Linger", "--value"])
    if ran.out.strip() == "yes" or host.has(f"var/lib/systemd/linger/{host.user}"):
        return Check("lingering", "ok", "hubs run while you are signed out")
    return Check(
        "lingering",
        "bad",
        "off: hubs end when you sign out, and do not start at boot",
        f"loginctl enable-linger {host.user} (as root, if it is refused)",
    )


def subordinate_ids(host: Host) -> Check:
    """Accounts in the container are subordinate ids of this account."""
    short = []
    for path in ("etc/subuid", "etc/subgid"):
        total = 0
        for line in (host.text(path) or "").splitlines():
            owner, _, rest = line.strip().partition(":")
            count = rest.rpartition(":")[2]
            if owner in (host.user, str(host.uid)) and count.isdecimal():
                total += int(count)
        if total < _NEEDED_IDS:
            short.append(f"{total or 'none'} in /{path}")
    if not short:
        return Check("subordinate ids", "ok", f"{_NEEDED_IDS} or more")
    return Check(
        "subordinate ids",
        "bad",
        "; ".join(short),
        f"As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {host.user} "
        "(a range that nobody has). Then: podman system migrate",
    )


def namespaces(host: Host) -> Check:
    """Rootless containers need user namespaces, and newuidmap to fill them."""
    if not host.has("usr/bin/newuidmap", "bin/newuidmap"):
        return Check(
            "user namespaces", "bad", "newuidmap is missing", "As root: apt install uidmap"
        )
    for path, words in (
        ("proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1"),
        ("proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000"),
    ):
        if (host.text(path) or "1").strip() == "0":
            return Check("user namespaces", "bad", f"/{path} is 0", f"As root: sysctl -w {words}")
    return Check("user namespaces", "ok", "can be made")


def podman(host: Host) -> Check:
    """Podman has to be there; from 4.4 on it makes units itself (Quadlet)."""
    ran = host.podman.ask(["podman", "--version"])
    found = re.search(r"([0-9]+)\.([0-9]+)[0-9.]*", ran.out)
    if not ran.ok or not found:
        return Check(
            "Podman",
            "bad",
            "cannot be run",
            "As root: apt install podman uidmap passt dbus-user-session",
        )
    version = (int(found[1]), int(found[2]))
    if version < _OLDEST_PODMAN:
        return Check("Podman", "bad", found[0], "Upgrade to 4.4 or newer.")
    if version < QUADLET_SINCE:
        return Check(
            "Podman",
            "warn",
            f"{found[0]}, without Quadlet: units are made by podman generate systemd",
            "Upgrade to 4.4 or newer when you can.",
        )
    if host.podman.generator() is None:
        return Check(
            "Podman",
            "warn",
            f"{found[0]}, but its Quadlet generator was not found",
            "Install Podman's package in full. Until then podman generate systemd is used.",
        )
    return Check("Podman", "ok", f"{found[0]} with Quadlet")


def network(host: Host) -> Check:
    """Look for the helper by which a rootless container reaches the network."""
    helpers = [name for name in ("pasta", "slirp4netns") if host.has(f"usr/bin/{name}")]
    if helpers:
        return Check("network", "ok", f"by {helpers[0]}")
    return Check(
        "network", "bad", "neither pasta nor slirp4netns is there", "As root: apt install passt"
    )


def inotify(host: Host) -> Check:
    """Each systemd and each server watches files; the usual 128 are used up by some ten."""
    text = (host.text("proc/sys/fs/inotify/max_user_instances") or "").strip()
    if not text.isdecimal() or int(text) >= _INOTIFY:
        return Check("file watches", "ok", text or "no limit found")
    return Check(
        "file watches",
        "warn",
        f"{text}: servers fail to start when many people work",
        "As root: echo fs.inotify.max_user_instances=8192 > /etc/sysctl.d/90-ananke.conf; "
        "sysctl --system",
    )


def disk(host: Host) -> Check:
    """Images and data need room."""
    free = host.free_bytes(host.data)
    words = f"{free / _GB:.0f} GB free for {host.data}"
    if free < _NO_DISK:
        return Check("disk", "bad", words, "Make room: podman image prune, or a larger disk.")
    if free < _LITTLE_DISK:
        return Check("disk", "warn", words, "An image is about 2 GB; homes and backups come to it.")
    return Check("disk", "ok", words)


def selinux(host: Host) -> Check:
    """Folders of the host need a label where SELinux enforces."""
    if (host.text("sys/fs/selinux/enforce") or "0").strip() != "1":
        return Check("SELinux", "ok", "does not enforce here")
    ran = host.podman.ask(["getsebool", "container_manage_cgroup"])
    if ran.ok and "on" not in ran.out.split():
        return Check(
            "SELinux",
            "bad",
            "enforces, and forbids systemd in containers",
            "As root: setsebool -P container_manage_cgroup true",
        )
    return Check("SELinux", "ok", "enforces; folders are labelled for containers")


def time_sync(host: Host) -> Check:
    """Look at the clock: launches are refused where it differs from the LMS's by some seconds."""
    ran = host.podman.ask(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if ran.out.strip() == "yes":
        return Check("time", "ok", "synchronised")
    return Check(
        "time",
        "warn",
        "not known to be synchronised: launches fail when clocks differ",
        "As root: apt install systemd-timesyncd, or chrony",
    )


def gpus(host: Host) -> Check:
    """Look whether this host's GPUs have CDI names, by which containers get them."""
    files = cdi_files(host.root)
    if files:
        return Check("GPUs", "ok", f"named in {', '.join(path.name for path in files)}")
    if host.has("proc/driver/nvidia/version", "dev/nvidia0"):
        return Check(
            "GPUs",
            "warn",
            "there is one from NVIDIA, but containers have no name for it",
            "As root: apt install nvidia-container-toolkit; "
            "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
        )
    return Check("GPUs", "ok", "none")
