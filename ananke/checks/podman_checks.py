"""What rootless Podman needs on the machine: ids, namespaces, network, SELinux, GPUs."""

from __future__ import annotations

import re

from ananke.checks.check import Check, Host
from ananke.podman import QUADLET_SINCE
from ananke.requirements import list_cdi_files

_MIN_SUBORDINATE_IDS = 65536
_MIN_PODMAN = (4, 0)


def check_subordinate_ids(host: Host) -> Check:
    """Check the account's subordinate ids: they become the accounts in the container."""
    too_few = []
    for path in ("etc/subuid", "etc/subgid"):
        total = 0
        for line in (host.read_text(path) or "").splitlines():
            owner, _, rest = line.strip().partition(":")
            count = rest.rpartition(":")[2]
            if owner in (host.user, str(host.uid)) and count.isdecimal():
                total += int(count)
        if total < _MIN_SUBORDINATE_IDS:
            too_few.append(f"{total or 'none'} in /{path}")
    if not too_few:
        return Check("subordinate ids", "ok", f"{_MIN_SUBORDINATE_IDS} or more")
    return Check(
        "subordinate ids",
        "error",
        "; ".join(too_few),
        f"As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {host.user} "
        "(a range that no other account has). Then: podman system migrate",
    )


def check_namespaces(host: Host) -> Check:
    """Check for user namespaces, and for newuidmap, which sets them up."""
    if not host.has_file("usr/bin/newuidmap", "bin/newuidmap"):
        return Check(
            "user namespaces", "error", "newuidmap is missing", "As root: apt install uidmap"
        )
    for path, setting in (
        ("proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1"),
        ("proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000"),
    ):
        if (host.read_text(path) or "1").strip() == "0":
            return Check(
                "user namespaces", "error", f"/{path} is 0", f"As root: sysctl -w {setting}"
            )
    return Check("user namespaces", "ok", "available")


def check_podman(host: Host) -> Check:
    """Check Podman's version; from 4.4 on it generates units itself (Quadlet)."""
    completed = host.podman.query(["podman", "--version"])
    found = re.search(r"([0-9]+)\.([0-9]+)[0-9.]*", completed.stdout)
    if not completed.ok or not found:
        return Check(
            "Podman",
            "error",
            "does not run",
            "As root: apt install podman uidmap passt dbus-user-session",
        )
    version = (int(found[1]), int(found[2]))
    if version < _MIN_PODMAN:
        return Check("Podman", "error", found[0], "Upgrade to 4.4 or newer.")
    if version < QUADLET_SINCE:
        return Check(
            "Podman",
            "warning",
            f"{found[0]}, without Quadlet: podman generate systemd is used",
            "Upgrade to 4.4 or newer when you can.",
        )
    if host.podman.find_quadlet_generator() is None:
        return Check(
            "Podman",
            "warning",
            f"{found[0]}, but its Quadlet generator was not found",
            "Install all of Podman's package. Until then podman generate systemd is used.",
        )
    return Check("Podman", "ok", f"{found[0]} with Quadlet")


def check_network_helper(host: Host) -> Check:
    """Check for the helper through which a rootless container reaches the network."""
    helpers = [name for name in ("pasta", "slirp4netns") if host.has_file(f"usr/bin/{name}")]
    if helpers:
        return Check("network", "ok", f"through {helpers[0]}")
    return Check(
        "network", "error", "pasta and slirp4netns are both missing", "As root: apt install passt"
    )


def check_selinux(host: Host) -> Check:
    """Check that SELinux, where it enforces, allows systemd in containers."""
    if (host.read_text("sys/fs/selinux/enforce") or "0").strip() != "1":
        return Check("SELinux", "ok", "not enforcing")
    completed = host.podman.query(["getsebool", "container_manage_cgroup"])
    if completed.ok and "on" not in completed.stdout.split():
        return Check(
            "SELinux",
            "error",
            "enforcing, and does not allow systemd in containers",
            "As root: setsebool -P container_manage_cgroup true",
        )
    return Check("SELinux", "ok", "enforcing; folders are labelled for containers")


def check_gpus(host: Host) -> Check:
    """Check that the host's GPUs have CDI names: containers get them by these."""
    files = list_cdi_files(host.root)
    if files:
        return Check("GPUs", "ok", f"named in {', '.join(path.name for path in files)}")
    if host.has_file("proc/driver/nvidia/version", "dev/nvidia0"):
        return Check(
            "GPUs",
            "warning",
            "an NVIDIA GPU is here, but it has no CDI name yet",
            "As root: apt install nvidia-container-toolkit; "
            "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
        )
    return Check("GPUs", "ok", "none")
