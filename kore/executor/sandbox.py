"""Becomes an account that owns nothing, isolates itself, and runs a program.

``python -I -m kore.executor.sandbox UID FOLDER PROGRAM ARGUMENT...``, run by root. The program
sees no other process, no network but a loopback of its own, an empty ``/tmp``, and nothing else
that it could write to. It runs until it ends or this process does, and whatever it started ends
with it: it is the first process of its namespace (pid_namespaces(7)).

If root may not create namespaces, only the account protects others: it cannot read what they
keep private. ``FOLDER`` is then its place for temporary files.
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

from kore.host import mounts, processes

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWPID, _CLONE_NEWNET = 0x20000000, 0x40000000
_ALL = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 0x2, 0x4, 0x8
_MOUNT_SETATTR, _AT_RECURSIVE, _READ_ONLY = 442, 0x8000, 0x1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_SCRATCH = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108
_SCRATCH_OPTIONS = "mode=1777,size=2g,nr_inodes=200k"
_MAX_PROCESSES, _MAX_MEMORY, _MAX_FILE_SIZE = 512, 4 * 2**30, 2 * 2**30
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Become the account, then the program."""
    number, folder, *argv = sys.argv[1:]
    uid = int(number)
    if uid == 0:
        sys.exit("root cannot be an account for executions")
    # First of all: the parent may be gone already.
    processes.end_with_parent(os.getppid(), by=signal.SIGKILL)
    if _libc.unshare(_ALL) != 0:
        os.execvp(argv[0], _become(uid, folder, argv))  # noqa: S606
    child = os.fork()
    if child == 0:
        try:
            _isolate()
            temporary = str(_SCRATCH[0])
            os.execvp(argv[0], _become(uid, temporary, argv, first=True))  # noqa: S606
        except OSError as error:
            sys.exit(f"Cannot isolate the account: {error.strerror}: {error.filename or ''}")
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0x7F)


def _become(uid: int, folder: str, argv: list[str], *, first: bool = False) -> list[str]:
    """Become the account; return the program to run as it."""
    os.umask(0o077)
    for kind, limit in (
        (resource.RLIMIT_NPROC, _MAX_PROCESSES),
        (resource.RLIMIT_DATA, _MAX_MEMORY),
        (resource.RLIMIT_FSIZE, _MAX_FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    processes.become_account(uid)
    # The kernel forgets the parent-death signal when the account changes.
    processes.end_with_parent(0 if first else os.getppid(), by=signal.SIGKILL)
    os.environ |= {"HOME": folder, "TMPDIR": folder}
    os.chdir(folder)
    return argv


def _isolate() -> None:
    """Restrict the files and the network that this process's namespaces show."""
    # Every account has to traverse the folders that lead to what stays visible.
    os.umask(0o022)
    mounts.detach_mounts()
    own = mounts.python_folders()
    closed = mounts.find_closed_folders(own)
    # One system call for all that is mounted: mount_setattr(2). Kernels before 5.12 lack it;
    # an account that owns nothing still finds little there that it could write to.
    attributes = struct.pack("4Q", _READ_ONLY, 0, 0, 0)
    _libc.syscall(_MOUNT_SETATTR, -100, b"/", _AT_RECURSIVE, attributes, len(attributes))
    for scratch in _SCRATCH:
        if scratch.is_dir():
            below = [path for path in own if path.is_relative_to(scratch)]
            mounts.replace_folder(scratch, below, _SCRATCH_OPTIONS)
    for folder, inner in closed.items():
        if not any(folder.is_relative_to(scratch) for scratch in _SCRATCH):
            mounts.replace_folder(folder, inner)
    # If that is refused, other processes are visible, but none of them is the account's.
    with suppress(OSError):
        mounts.mount("proc", Path("/proc"), "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
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
