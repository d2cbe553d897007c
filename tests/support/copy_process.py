"""Kore's process that works on copies and is killed.

``python -m tests.support.copy_process FOLDER`` runs it.
Each line on standard input is a number of seconds. A child then takes the next job and is
killed after that time; the answer is ``killed`` or ``done``. One process forks all of them,
so a kill costs milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from kore.service.job_kinds import HANDLERS
from kore.service.jobs import Runner, runner
from tests.support.graded_course import open_kore


def work_until_killed(work: Callable[[], None], seconds: float) -> bool:
    """Do work in a child of this process, and kill it after a time; say whether it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.0005)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def main(folder: Path) -> None:
    """Take orders until there are no more."""
    # The next one need not wait for the lease of one that was killed.
    runner.LEASE = timedelta(seconds=-1)
    runner._MAX_ATTEMPTS = 10**6
    services = open_kore(folder)

    def work() -> None:
        runner = Runner(services, HANDLERS, threads=1)
        job = runner._claim()
        if job is not None:
            runner._run(job)

    for line in sys.stdin:
        services.db.close()
        killed = work_until_killed(work, float(line))
        print("killed" if killed else "done", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
