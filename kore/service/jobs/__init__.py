"""Work that can take over a second: queued, with progress, and finished after a kill.

A job is a row. A runner claims it with a lease that it renews while it works; when the
process dies the lease runs out and the next runner starts the job again with a higher
``attempt``. So a handler must be able to run again from any point. One job of a kind works
on a course at a time, and of all kinds that need the course alone, one.
"""

from __future__ import annotations

from kore.service.jobs.context import JobContext
from kore.service.jobs.queue import Handler, closed_by, enqueue, handler
from kore.service.jobs.reports import cancel, of_course, of_person, report
from kore.service.jobs.runner import Runner
from kore.service.schemas import JobInfo

__all__ = [
    "Handler",
    "JobContext",
    "JobInfo",
    "Runner",
    "cancel",
    "closed_by",
    "enqueue",
    "handler",
    "of_course",
    "of_person",
    "report",
]
