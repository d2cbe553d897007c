"""What the handler of a job works with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from kore.service.db.models import Job, JobItem
from kore.service.errors import Cancelled
from kore.service.jobs.reports import FINAL
from kore.service.services import Services
from kore.shared.messages import Message


@dataclass(slots=True)
class JobContext:
    """What a handler sees of its job, and the ways to report how it goes."""

    services: Services
    job_id: str
    kind: str
    course_id: str | None
    created_by: str
    params: dict[str, Any]
    attempt: int
    stopping: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int, message: Message | None = None) -> None:
        """Write how far the job is: ``done`` of ``total``, and what is under way."""
        with self.services.db.session() as session:
            session.execute(
                update(Job)
                .where(Job.id == self.job_id)
                .values(done=done, total=total, message=message)
            )

    def item(
        self, key: str, label: str, outcome: str, message: Message | None = None, **detail: Any
    ) -> None:
        """Write or replace one line of the report; ``label`` is a name that others gave."""
        with self.services.db.session() as session:
            self.services.db.upsert(
                session,
                JobItem,
                {"job_id": self.job_id, "key": key},
                {"label": label, "outcome": outcome, "message": message, "detail": detail},
            )

    def record(self, **facts: Any) -> None:
        """Add to the job's parameters what its next attempt has to know."""
        with self.services.db.session() as session:
            job = session.get_one(Job, self.job_id, with_for_update=True)
            job.params = self.params = {**job.params, **facts}

    def no_return(self, **facts: Any) -> None:
        """Record that from here on the job is completed, whatever happens.

        ``facts`` go into the job's parameters, for its next attempts. Nobody can cancel it any
        more, and where it fails or is killed it starts again until it succeeds. Raises
        Cancelled where someone has cancelled it before.
        """
        with self.services.db.session() as session:
            job = session.get_one(Job, self.job_id, with_for_update=True)
            if job.cancel_asked and not job.params.get(FINAL):
                raise Cancelled("job_cancelled.unchanged")
            job.params = self.params = {**job.params, **facts, FINAL: True}

    @property
    def is_final(self) -> bool:
        """Whether ``no_return`` was called, by this attempt or one before."""
        return bool(self.params.get(FINAL))

    def cancelled(self) -> bool:
        """Whether someone asked to stop, or the service itself is stopping."""
        if self.stopping.is_set():
            return True
        with self.services.db.reading() as session:
            return bool(session.scalar(select(Job.cancel_asked).where(Job.id == self.job_id)))


Handler = Callable[[JobContext], None]
"""Does the jobs of one kind."""
