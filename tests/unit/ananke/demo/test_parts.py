"""Processes: ended with all their descendants, whoever is killed first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from ananke.demo import parts

TREE = """
import os, subprocess, sys, time
depth = int(sys.argv[1])
child = None
if depth:
    less = [sys.executable, __file__, str(depth - 1), *sys.argv[2:]]
    child = subprocess.Popen(less, start_new_session=True)
with open(sys.argv[2], "a") as out:
    out.write(f"{os.getpid()}\\n")
if sys.argv[3:] == ["deaf"]:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""

SUPERVISOR = """
import sys, time
from pathlib import Path
from ananke.demo.parts import Part, Parts
running = Parts()
running.start(Part("tree", sys.argv[3:], Path(sys.argv[1]), Path(sys.argv[2]), {}))
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


def until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def lines(path):
    return [int(word) for word in path.read_text().split()] if path.exists() else []


def alive(pid):
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def supervise(tmp_path, argv):
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path / "log"), str(tmp_path), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize("deaf", [[], ["deaf"]])
@pytest.mark.slow
def test_stopping_ends_every_descendant(tmp_path, tree, deaf):
    """Descendants in sessions of their own end too, and soon, deaf ones by force."""
    argv, pids = tree
    supervisor = supervise(tmp_path, [*argv, *deaf])
    until(lambda: len(lines(pids)) == 3)
    begun = time.monotonic()
    supervisor.communicate(b"\n", timeout=60)
    assert time.monotonic() - begun < 20
    assert not [pid for pid in lines(pids) if alive(pid)]


def test_a_killed_supervisor_takes_its_part_along(tmp_path, tree):
    """A part does not outlive a supervisor that was killed."""
    argv, pids = tree
    supervisor = supervise(tmp_path, argv)
    until(lambda: len(lines(pids)) == 3)
    part = psutil.Process(supervisor.pid).children()[0]
    supervisor.kill()
    supervisor.wait()
    until(lambda: not part.is_running() or part.status() == psutil.STATUS_ZOMBIE)
    supervisor.communicate()


def test_leftovers_are_found_by_their_state_directory(tmp_path):
    """What a killed demo left running is known by its environment, and nothing else is."""

    def start(state_dir):
        return subprocess.Popen(
            [sys.executable, "-c", "input()"],
            stdin=subprocess.PIPE,
            env={**os.environ, parts.TAG: str(state_dir)},
        )

    ours, others = start(tmp_path / "a"), start(tmp_path / "ab")
    try:
        until(lambda: parts.leftovers(tmp_path / "a"))
        assert [process.pid for process in parts.leftovers(tmp_path / "a")] == [ours.pid]
        parts.end(parts.leftovers(tmp_path / "a"))
        assert not alive(ours.pid)
        assert others.poll() is None
    finally:
        for process in (ours, others):
            process.kill()
            process.communicate()


def test_tether_writes_a_log_and_dies_with_its_parent(tmp_path):
    """A tethered program writes where it was told, and ends when its starter is killed."""
    log = tmp_path / "program.log"
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; subprocess.run(sys.argv[1:])",
            *(sys.executable, "-m", "ananke.demo.tether", str(log)),
            *(sys.executable, "-uc", "import os, time; print(os.getpid()); time.sleep(600)"),
        ]
    )
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    (pid,) = lines(log)
    assert log.stat().st_mode & 0o777 == 0o600
    starter.kill()
    starter.wait()
    until(lambda: not alive(pid))
