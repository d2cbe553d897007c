"""Becomes an account that owns nothing, apart from everything, and runs a program as it.

``python -I -m kore.executor.sandbox UID FOLDER PROGRAM ARGUMENT...``, run by root. The program sees
no other process, no network but a loopback of its own, an empty ``/tmp``, and nothing that it
could write elsewhere; it goes on until it ends or this process does, and whatever it started
ends with it: it is the first process of its namespace (pid_namespaces(7)).

Where root may not make namespaces there is the account alone, which cannot read what others
keep to themselves. ``FOLDER`` is then its place for temporary files.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

from kore.host import enter

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_ALL = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
_PR_SET_PDEATHSIG = 1
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 0x2, 0x4, 0x8
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY = 442, 0x8000, 0x1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_SCRATCH = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108
_SCRATCH_OPTIONS = "mode=1777,size=2g,nr_inodes=200k"
_MOST_PROCESSES, _MOST_MEMORY, _MOST_FILE = 512, 4 * 2**30, 2 * 2**30
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Become the account, then the program."""
    number, folder, *argv = sys.argv[1:]
    uid = int(number)
    if uid == 0:
        sys.exit("root is no account for executions")
    # Before the first step: whoever started this may be gone already.
    _end_with_parent(os.getppid())
    apart = _libc.unshare(_ALL) == 0
    if not apart:
        os.execvp(argv[0], _as(uid, folder, argv))  # noqa: S606
    child = os.fork()
    if child == 0:
        try:
            _confine()
            temporary = str(_SCRATCH[0])
            os.execvp(argv[0], _as(uid, temporary, argv, first=True))  # noqa: S606
        except OSError as error:
            sys.exit(f"The account cannot be set apart: {error.strerror}: {error.filename or ''}")
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0x7F)


def _as(uid: int, folder: str, argv: list[str], *, first: bool = False) -> list[str]:
    """Become the account; return the program that is left to run."""
    os.umask(0o077)
    for what, most in (
        (resource.RLIMIT_NPROC, _MOST_PROCESSES),
        (resource.RLIMIT_DATA, _MOST_MEMORY),
        (resource.RLIMIT_FSIZE, _MOST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    enter.become(uid)
    # Changing accounts took it away.
    _end_with_parent(0 if first else os.getppid())
    os.environ |= {"HOME": folder, "TMPDIR": folder}
    os.chdir(folder)
    return argv


def _end_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; 0 is one outside of its view."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _confine() -> None:
    """Give this process its view of files and network; it is in namespaces of its own."""
    # The folders that lead to what stays visible are for everybody to cross.
    os.umask(0o022)
    enter.keep_mounts()
    own = enter.own_paths()
    walls = enter.walls(own)
    # One system call for all that is mounted: mount_setattr(2). Kernels before 5.12 lack it,
    # and then an account that owns nothing still finds little that it could write.
    attributes = struct.pack("4Q", _READ_ONLY, 0, 0, 0)
    _libc.syscall(_MOUNT_SETATTR, -100, b"/", _AT_RECURSIVE, attributes, len(attributes))
    for place in _SCRATCH:
        if place.is_dir():
            below = [path for path in own if path.is_relative_to(place)]
            enter.replace(place, below, _SCRATCH_OPTIONS)
    for wall, inner in walls.items():
        if not any(wall.is_relative_to(place) for place in _SCRATCH):
            enter.replace(wall, inner)
    # Where that is refused, the other processes are seen but none of them is the account's.
    with suppress(OSError):
        enter.mount("proc", Path("/proc"), "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    with suppress(OSError):
        _start_loopback()


def _start_loopback() -> None:
    """Bring up the namespace's own loopback: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(control, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags | _IFF_UP))


if __name__ == "__main__":
    main()
