"""Assignments: released, released again, and withdrawn."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

from kore.service.errors import KoreError
from kore.service.exchange import assignments
from tests.support.course import ExchangeCourse


def at_once(number: int, function) -> list:
    barrier = threading.Barrier(number)

    def run(index: int):
        barrier.wait()
        return function(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def test_a_new_release_takes_the_place_of_the_old(exchange: ExchangeCourse):
    """Old archives go; who was reading one reads on; handed-in work stays."""
    exchange.submit()
    handle, row = assignments.open_assignment(exchange.services, exchange.course, "ps1")
    exchange.release("ps1", {"new.ipynb": b"{}"})
    with handle:
        assert len(handle.read()) == row.size
    assert len(exchange.files()) == 2
    exchange.feedback(exchange.listed()[0])
    exchange.feedback(exchange.listed()[0], {"squares.html": b"Better"})
    assert len(exchange.files()) == 3
    assignments.withdraw_assignment(exchange.services, exchange.course, "ps1", by="u1")
    assert len(exchange.files()) == 2
    assert len(exchange.listed()) == 1


def test_fetching_while_released_again(exchange: ExchangeCourse):
    """Readers that race with new releases always get one of them, whole."""
    over = threading.Event()

    def read(index: int) -> int:
        if index == 0:
            with contextlib.suppress(KoreError):
                for number in range(15):
                    exchange.release("ps1", {"a": b"x" * number})
            over.set()
            return 0
        count = 0
        while not over.is_set() or not count:
            handle, row = assignments.open_assignment(exchange.services, exchange.course, "ps1")
            with handle:
                assert len(handle.read()) == row.size
            count += 1
        return count

    assert all(at_once(3, read)[1:])
