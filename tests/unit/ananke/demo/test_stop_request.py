"""Signals wake the demo, whatever its main thread is doing, and never block it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from ananke.demo.stop_request import catch_stop_signals

LOOP = """
from ananke.demo.stop_request import catch_stop_signals
with catch_stop_signals() as stop:
    print("ready", flush=True)
    rounds = 0
    while not stop.received:
        stop.wait({seconds})
        rounds += 1
print(rounds, flush=True)
"""

# A signal at every line that the main thread runs, in any module.
INTERRUPTED = """
import signal, sys
from ananke.demo.stop_request import catch_stop_signals
def interrupt(*_):
    signal.raise_signal(signal.SIGCHLD)
    return interrupt
with catch_stop_signals() as stop:
    sys.settrace(interrupt)
    stop.wait(0.01)
    sys.settrace(None)
"""


def start_loop(seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", LOOP.format(seconds=seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def flood(process, seconds):
    """Send SIGCHLD without a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.kill(process.pid, signal.SIGCHLD)


def test_signals_may_arrive_at_any_moment():
    """No handler waits for something that the interrupted main thread holds."""
    argv = [sys.executable, "-c", INTERRUPTED]
    assert subprocess.run(argv, timeout=30, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stops_under_a_flood_of_child_signals(number):
    """A stop signal ends the loop even if thousands of children end before and after it."""
    process = start_loop(0.001)
    try:
        flood(process, 1.0)
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_flood_does_not_keep_the_loop_busy():
    """However many children end, the loop goes around about ten times a second."""
    process = start_loop(60)
    try:
        flood(process, 1.0)
        process.terminate()
        shown, _ = process.communicate(timeout=10)
        assert int(shown) < 100
    finally:
        process.kill()
        process.communicate()


def test_full_wakeup_pipe_loses_no_stop_request():
    """A request to stop is seen even if nobody has read the wake-up pipe for long."""
    with catch_stop_signals() as stop:
        writer = signal.set_wakeup_fd(-1)
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"\0" * 65536)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.raise_signal(signal.SIGTERM)
        stop.wait(60)
        assert stop.received


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGCHLD])
def test_waiting_ends_at_a_signal(number):
    """A signal that came before the wait is not lost: the wait ends at once."""
    with catch_stop_signals() as stop:
        signal.raise_signal(number)
        start = time.monotonic()
        stop.wait(60)
        assert time.monotonic() - start < 10
        assert stop.received == (number == signal.SIGTERM)


def test_signals_are_handled_as_before_afterwards():
    """Afterwards handlers and wake-up descriptor are what they were."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    with catch_stop_signals():
        pass
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(-1) == -1
