"""Work that can take over a second: queued, with progress, and finished after a kill."""

from __future__ import annotations

from kore.service.jobs.context import Handler, JobContext
from kore.service.jobs.job_kind import JobKind
from kore.service.jobs.queue import enqueue, is_closed
from kore.service.jobs.reports import (
    cancel,
    list_jobs_of_course,
    list_jobs_of_person,
    read_report,
)
from kore.service.jobs.runner import Runner

__all__ = [
    "Handler",
    "JobContext",
    "JobKind",
    "Runner",
    "cancel",
    "enqueue",
    "is_closed",
    "list_jobs_of_course",
    "list_jobs_of_person",
    "read_report",
]
