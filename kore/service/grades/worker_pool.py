"""Threads of a sending job: those that send, and one that watches for a cancellation."""

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

_POLL_SECONDS = 0.5
# Outcomes of so long go into one transaction: each one waits for the disk.
_BATCH_SECONDS = 0.1


class WorkerPool:
    """Threads that send. Daemons: Kore's end does not wait for an LMS's answer.

    ``send`` sends one score and must not raise.
    """

    def __init__(self, send: Callable[[Task], Outcome], size: int) -> None:
        self._send = send
        self._size = size
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"grades-{number}", daemon=True).start()

    def submit(self, tasks: Iterable[Task]) -> None:
        """Queue scores to send."""
        for task in tasks:
            self._tasks.put(task)

    def collect(self, pending: int) -> list[Outcome]:
        """Wait for an outcome, and return it with those of a moment longer.

        ``pending`` is how many were submitted and not collected, at least one.
        """
        outcomes = [self._outcomes.get()]
        end = time.monotonic() + _BATCH_SECONDS
        while len(outcomes) < pending:
            try:
                outcomes.append(self._outcomes.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                break
        return outcomes

    def close(self) -> None:
        """End the threads once they have sent what was submitted."""
        for _ in range(self._size):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._outcomes.put(self._send(task))


@contextmanager
def watch_for_cancel(ctx: JobContext, stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` when the job is asked to stop, however long its requests take."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_POLL_SECONDS):
            try:
                if ctx.cancelled():
                    stop.set()
                    return
            except Exception:
                log.exception("Could not read whether job %s was cancelled", ctx.job_id)

    threading.Thread(target=watch, name="grades-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()
