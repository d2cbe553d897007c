"""How processes are recognised."""

from __future__ import annotations

import os
import subprocess
import sys

from kore.host import processes


def test_identity_distinguishes_processes():
    """A process keeps its identity, another has a different one, an ended one has none."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine = processes.identity(os.getpid())
    its = processes.identity(child.pid)
    child.communicate(b"\n")
    assert mine == processes.identity(os.getpid())
    assert its not in ("", mine)
    assert processes.identity(child.pid) == ""
