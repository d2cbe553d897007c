"""Processes end with all their descendants, whichever of them is killed first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from ananke.demo import processes
from tests.support.waiting import wait_until

TREE = """
import os, subprocess, sys, time
depth = int(sys.argv[1])
child = None
if depth:
    less = [sys.executable, __file__, str(depth - 1), *sys.argv[2:]]
    child = subprocess.Popen(less, start_new_session=True)
with open(sys.argv[2], "a") as out:
    out.write(f"{os.getpid()}\\n")
if sys.argv[3:] == ["stubborn"]:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""

SUPERVISOR = """
import sys, time
from pathlib import Path
from ananke.demo.processes import ProcessGroup, Program
running = ProcessGroup()
running.start(Program("tree", sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2]), {}))
print("started", flush=True)
sys.stdin.readline()
running.stop()
"""


@pytest.fixture
def tree(tmp_path):
    """A program that starts a program that starts a program, each in its own session."""
    script = tmp_path / "tree.py"
    script.write_text(TREE)
    pids = tmp_path / "pids"
    yield [sys.executable, str(script), "2", str(pids)], pids
    if pids.exists():
        for pid in map(int, pids.read_text().split()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def read_pids(path):
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def is_alive(pid):
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def start_supervisor(tmp_path, argv):
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path / "log"), str(tmp_path), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize("stubborn", [[], ["stubborn"]])
@pytest.mark.slow
def test_stopping_ends_every_descendant(tmp_path, tree, stubborn):
    """Descendants in their own sessions end soon too, those that ignore SIGTERM by force."""
    argv, pids = tree
    supervisor = start_supervisor(tmp_path, [*argv, *stubborn])
    wait_until(lambda: len(read_pids(pids)) == 3)
    begun = time.monotonic()
    supervisor.communicate(b"\n", timeout=60)
    assert time.monotonic() - begun < 20
    assert not [pid for pid in read_pids(pids) if is_alive(pid)]


def test_killed_supervisor_ends_its_program(tmp_path, tree):
    """A program does not outlive a supervisor that was killed."""
    argv, pids = tree
    supervisor = start_supervisor(tmp_path, argv)
    wait_until(lambda: len(read_pids(pids)) == 3)
    program = psutil.Process(supervisor.pid).children()[0]
    supervisor.kill()
    supervisor.wait()
    wait_until(lambda: not program.is_running() or program.status() == psutil.STATUS_ZOMBIE)
    supervisor.communicate()


def test_leftovers_are_found_by_their_state_directory(tmp_path):
    """Leftovers of a killed demo are found by their environment, and no other process is."""

    def start(state_dir):
        return subprocess.Popen(
            [sys.executable, "-c", "input()"],
            stdin=subprocess.PIPE,
            env={**os.environ, processes.TAG: str(state_dir)},
        )

    ours, others = start(tmp_path / "a"), start(tmp_path / "ab")
    try:
        wait_until(lambda: processes.find_leftovers(tmp_path / "a"))
        assert [process.pid for process in processes.find_leftovers(tmp_path / "a")] == [ours.pid]
        processes.end_processes(processes.find_leftovers(tmp_path / "a"))
        assert not is_alive(ours.pid)
        assert others.poll() is None
    finally:
        for process in (ours, others):
            process.kill()
            process.communicate()


def test_supervised_program_has_a_log_and_ends_with_its_parent(tmp_path):
    """A supervised program writes into its log, and ends when its parent is killed."""
    log = tmp_path / "program.log"
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.run(sys.argv[1:])",
            *(sys.executable, "-m", "ananke.demo.supervise", str(log)),
            *(sys.executable, "-uc", "import os, time; print(os.getpid()); time.sleep(600)"),
        ]
    )
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    (pid,) = read_pids(log)
    assert log.stat().st_mode & 0o777 == 0o600
    starter.kill()
    starter.wait()
    wait_until(lambda: not is_alive(pid))
