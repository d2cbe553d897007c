"""Processes: how one is recognised, when it ends, and as which account it runs."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_START_TIME = 19
"""Place of a process's start in ``/proc/<pid>/stat``, after the command's name (proc(5))."""

# Loaded before any fork: a child between fork and exec must not look for libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int, *, by: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel signal this process when its parent dies, however that happens.

    ``parent`` is the process that forked (0 if it is outside of this PID namespace), which may
    be gone already. See prctl(2), PR_SET_PDEATHSIG.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), by)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own: prctl(2), subreaper."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def become_account(uid: int) -> None:
    """Become an account for good: no group but its own, and no way to gain rights."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def identity(pid: int) -> str:
    """Return what tells a process from a later one with the same number; "" if none runs."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    # The name in parentheses may hold anything, parentheses too.
    return f"{boot}:{stat.rpartition(')')[2].split()[_START_TIME]}"
