"""The threads of a sending job: those that send, and one that looks for a request to stop."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from kore.service.grades.tasks import Outcome, Task
from kore.service.jobs import JobContext

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
# Outcomes of so long go into one transaction: each waits for the disk.
_GATHER_SECONDS = 0.1


class Crew:
    """Threads that send. Daemons: Kore's end does not wait for an LMS's answer.

    ``deliver`` sends one score and must not raise.
    """

    def __init__(self, deliver: Callable[[Task], Outcome], size: int) -> None:
        self._deliver = deliver
        self._size = size
        self._in: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"grades-{number}", daemon=True).start()

    def give(self, tasks: Iterable[Task]) -> None:
        """Hand scores out."""
        for task in tasks:
            self._in.put(task)

    def take(self, under_way: int) -> list[Outcome]:
        """Return what is done, after the first outcome those of a moment longer.

        ``under_way`` is how many were handed out and not taken, at least one.
        """
        outcomes = [self._out.get()]
        end = time.monotonic() + _GATHER_SECONDS
        while len(outcomes) < under_way:
            try:
                outcomes.append(self._out.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
        return outcomes

    def dismiss(self) -> None:
        """End the threads once they have done what was handed out."""
        for _ in range(self._size):
            self._in.put(None)

    def _work(self) -> None:
        while (task := self._in.get()) is not None:
            self._out.put(self._deliver(task))


@contextmanager
def stopping_with(ctx: JobContext, stop: threading.Event) -> Iterator[None]:
    """Set an event when the job is asked to stop, however long its requests take."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            try:
                if ctx.cancelled():
                    stop.set()
                    return
            except Exception:
                log.exception("Whether job %s is to stop could not be read", ctx.job_id)

    threading.Thread(target=look, name="grades-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()
