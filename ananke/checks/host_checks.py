"""What the machine itself must offer: systemd, limits, lingering, disk, clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ananke.checks.check import Check, Host
from ananke.checks.podman_checks import (
    check_gpus,
    check_namespaces,
    check_network_helper,
    check_podman,
    check_selinux,
    check_subordinate_ids,
)
from ananke.disks import GB, LOW_BYTES, MIN_BYTES
from ananke.unit import list_controllers

_MIN_INOTIFY_INSTANCES = 512


def run_host_checks(host: Host) -> Iterator[Check]:
    """Yield the checks of the machine, likely causes before their consequences.

    For root, those of the account are left out: it is the wrong one.
    """
    for check in (
        check_account,
        check_systemd,
        check_cgroups,
        check_delegation,
        check_user_session,
        check_lingering,
        check_subordinate_ids,
        check_namespaces,
        check_podman,
        check_network_helper,
        check_inotify,
        check_disk,
        check_selinux,
        check_time_sync,
        check_gpus,
    ):
        if host.uid != 0:
            yield check(host)
        elif check not in _ACCOUNT_CHECKS:
            found = check(host)
            yield replace(found, hint=found.hint.removeprefix("As root: "))


def check_account(host: Host) -> Check:
    """Check that an ordinary account runs hubs: containers of root have root's rights."""
    if host.uid == 0:
        return Check(
            "account",
            "error",
            "you are root",
            "Sign in as an ordinary user: ssh, or machinectl shell USER@",
        )
    return Check("account", "ok", f"{host.user} ({host.uid})")


def check_systemd(host: Host) -> Check:
    """Check that systemd runs the machine: hubs are its units."""
    if host.has_file("run/systemd/system"):
        return Check("systemd", "ok", "runs this machine")
    return Check("systemd", "error", "does not run this machine", "Use a host that runs systemd.")


def check_cgroups(host: Host) -> Check:
    """Check for control groups version 2, which systemd in a container needs."""
    if host.has_file("sys/fs/cgroup/cgroup.controllers"):
        return Check("cgroups", "ok", "version 2")
    return Check(
        "cgroups",
        "error",
        "version 1, or a mix of both",
        "Boot the kernel with systemd.unified_cgroup_hierarchy=1.",
    )


def check_delegation(host: Host) -> Check:
    """Check for the controllers that memory and processor limits need."""
    missing = sorted({"cpu", "memory", "pids"} - list_controllers(host.uid, host.root))
    if not missing:
        return Check("limits", "ok", "memory and processors can be limited")
    return Check(
        "limits",
        "warning",
        f"you cannot limit {', '.join(missing)}",
        "As root: mkdir -p /etc/systemd/system/user@.service.d; "
        "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > "
        "/etc/systemd/system/user@.service.d/delegate.conf; systemctl daemon-reload. "
        "Then sign in again.",
    )


def check_user_session(host: Host) -> Check:
    """Check that the account's own systemd answers."""
    completed = host.podman.query(host.podman.make_systemctl_command("is-system-running"))
    state = completed.stdout.strip()
    if state in ("running", "degraded", "starting", "initializing"):
        return Check("user session", "ok", f"systemd answers ({state})")
    message = (completed.stderr.strip().splitlines() or [state or "no answer"])[0]
    return Check(
        "user session",
        "error",
        message,
        "Sign in directly (ssh, or machinectl shell USER@; not su or sudo), and make sure that "
        "dbus-user-session is installed.",
    )


def check_lingering(host: Host) -> Check:
    """Check for lingering: without it a hub stops when its account signs out."""
    completed = host.podman.query(
        ["loginctl", "show-user", str(host.uid), "--property=Linger", "--value"]
    )
    if completed.stdout.strip() == "yes" or host.has_file(f"var/lib/systemd/linger/{host.user}"):
        return Check("lingering", "ok", "hubs run while you are signed out")
    return Check(
        "lingering",
        "error",
        "off: hubs stop when you sign out, and do not start at boot",
        f"loginctl enable-linger {host.user} (as root, if you are not allowed to)",
    )


def check_inotify(host: Host) -> Check:
    """Check the number of file watchers: the usual 128 are enough for about ten servers."""
    text = (host.read_text("proc/sys/fs/inotify/max_user_instances") or "").strip()
    if not text.isdecimal() or int(text) >= _MIN_INOTIFY_INSTANCES:
        return Check("file watches", "ok", text or "no limit found")
    return Check(
        "file watches",
        "warning",
        f"{text}: servers fail to start when many people work at once",
        "As root: echo fs.inotify.max_user_instances=8192 > /etc/sysctl.d/90-ananke.conf; "
        "sysctl --system",
    )


def check_disk(host: Host) -> Check:
    """Check the free space for images and data."""
    # Podman's images may lie on another disk than the data: the fuller one counts.
    completed = host.podman.query(["podman", "info", "--format={{.Store.GraphRoot}}"])
    images = Path(completed.stdout.strip() or host.data)
    places = {host.data, images if images.is_dir() else host.data}
    free, place = min((host.free_bytes(place), place) for place in places)
    message = f"{free / GB:.0f} GB free for {place}"
    if free < MIN_BYTES:
        return Check(
            "disk",
            "error",
            message,
            "Free some space (ananke build --prune removes images that nothing uses), or use a "
            "larger disk.",
        )
    if free < LOW_BYTES:
        return Check(
            "disk",
            "warning",
            message,
            "An image takes about 2 GB; homes and backups come on top.",
        )
    return Check("disk", "ok", message)


def check_time_sync(host: Host) -> Check:
    """Check the clock: launches are refused if it differs from the LMS's by some seconds."""
    completed = host.podman.query(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if completed.stdout.strip() == "yes":
        return Check("time", "ok", "synchronised")
    return Check(
        "time",
        "warning",
        "may not be synchronised: launches fail when clocks differ",
        "As root: apt install systemd-timesyncd, or chrony",
    )


_ACCOUNT_CHECKS = (check_delegation, check_user_session, check_lingering, check_subordinate_ids)
