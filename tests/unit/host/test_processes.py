"""How processes are recognised."""

from __future__ import annotations

import os
import subprocess
import sys

from kore.host import processes


def test_identity_tells_processes_apart():
    """A process keeps its identity, another has another, and one that ended has none."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine = processes.identity(os.getpid())
    its = processes.identity(child.pid)
    child.communicate(b"\n")
    assert mine == processes.identity(os.getpid())
    assert its not in ("", mine)
    assert processes.identity(child.pid) == ""
