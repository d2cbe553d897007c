"""Assignments: released, released again, and withdrawn."""

from __future__ import annotations

import contextlib
import threading

import pytest

from kore.service.errors import BadArchive, KoreError
from kore.service.exchange import assignments
from tests.support.course import ExchangeCourse, pieces
from tests.support.threads import run_at_once


def test_a_new_release_replaces_the_old(exchange: ExchangeCourse):
    """Old archives go, open readers keep theirs, submissions stay."""
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


def test_fetching_during_a_new_release(exchange: ExchangeCourse):
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

    assert all(run_at_once(3, read)[1:])


def test_releasing_and_withdrawing_are_recorded(exchange: ExchangeCourse):
    """The audit has who released and withdrew what, and a refusal with its reason."""
    with pytest.raises(BadArchive):
        assignments.release_assignment(
            exchange.services, exchange.course, "ps2", pieces(b"no archive"), by="u1"
        )
    assignments.withdraw_assignment(exchange.services, exchange.course, "ps1", by="u1")
    assert exchange.audit() == [
        ("exchange.withdraw", "done", "audit.withdraw"),
        ("exchange.release", "refused", "audit.refused"),
        ("exchange.release", "done", "audit.release"),
    ]
