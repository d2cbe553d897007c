"""Runs something in several threads at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run_at_once(number: int, function: Callable[[int], Result]) -> list[Result]:
    """Call a function with 0, 1 and so on, in as many threads; return the results in order."""
    barrier = threading.Barrier(number)

    def run(index: int) -> Result:
        barrier.wait()
        return function(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
