"""Threads that claim jobs by a lease, do them, and hand back what they cannot finish."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from kore.service.db.models import Job, JobState, now
from kore.service.errors import Cancelled, KoreError
from kore.service.jobs.context import Handler, JobContext
from kore.service.jobs.job_kind import JobKind
from kore.service.jobs.reports import FINAL, end_job
from kore.service.services import Services
from kore.shared.messages import Message, message

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=10)
_HEARTBEAT_SECONDS = 3.0
_POLL_SECONDS = 2.0
_MAX_ATTEMPTS = 5
_MAX_PAUSE_SECONDS = 60


class Runner:
    """Threads of this process that work through the queue."""

    def __init__(
        self, services: Services, handlers: Mapping[JobKind, Handler], *, threads: int
    ) -> None:
        self._services = services
        self._handlers = {kind.name: handler for kind, handler in handlers.items()}
        self._exclusive = [kind.name for kind in handlers if kind.exclusive]
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._wake = threading.Condition()
        self._woken = 0
        self._stopping = threading.Event()
        self._running: set[str] = set()
        self._threads = [
            threading.Thread(target=self._work, name=f"job-{number}", daemon=True)
            for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._renew, name="job-lease", daemon=True))

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ask handlers to stop, wait for them, and give back what is unfinished."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout / len(self._threads))

    def wake(self) -> None:
        """Say that there is new work: without it a job waits for the next look, in seconds."""
        with self._wake:
            self._woken += 1
            self._wake.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._wake:
                woken = self._woken
            try:
                job = self._claim()
            except Exception:  # the database may be away for a while; this thread must not end
                log.exception("The queue of jobs could not be read")
                job = None
            if job is not None:
                self._run(job)
                # Another job of this course may have waited for this one.
                self.wake()
                continue
            with self._wake:
                if self._woken == woken and not self._stopping.is_set():
                    self._wake.wait(_POLL_SECONDS)

    def _claim(self) -> JobContext | None:
        db = self._services.db
        with db.reading() as session:
            if session.scalar(self._open_jobs().limit(1)) is None:
                return None
        claimed = None
        try:
            with db.session() as session:
                db.lock_queue(session)
                claimed = self._take(session)
        except Exception:
            if claimed is not None:
                self._running.discard(claimed.job_id)
            raise
        return claimed

    def _take(self, session: Session) -> JobContext | None:
        job = session.scalar(self._open_jobs().limit(1))
        if job is None:
            return None
        job.attempts += 1
        if job.attempts > _MAX_ATTEMPTS and not job.params.get(FINAL):
            end_job(job, JobState.FAILED, message("job_interrupted", n=_MAX_ATTEMPTS))
            return None
        job.state = JobState.RUNNING
        job.owner = self._owner
        job.lease_until = now() + LEASE
        job.started_at = job.started_at or now()
        self._running.add(job.id)
        return JobContext(
            services=self._services,
            job_id=job.id,
            kind=job.kind,
            course_id=job.course_id,
            created_by=job.created_by,
            params=dict(job.params),
            attempt=job.attempts,
            stopping=self._stopping,
        )

    def _open_jobs(self) -> Any:
        """Select the jobs that may be started, oldest first.

        Not what a thread of this process is at, though its lease may be over: a machine that
        slept, or a slow disk, keeps leases from being renewed in time.
        """
        moment = now()
        other = aliased(Job)
        busy = exists().where(
            other.course_id == Job.course_id,
            or_(
                other.kind == Job.kind,
                and_(other.kind.in_(self._exclusive), Job.kind.in_(self._exclusive)),
            ),
            other.id != Job.id,
            other.state == JobState.RUNNING,
        )
        return (
            select(Job)
            .where(
                Job.kind.in_(list(self._handlers)),
                or_(
                    and_(Job.state == JobState.QUEUED, ~busy),
                    and_(
                        Job.state == JobState.RUNNING,
                        Job.lease_until < moment,
                        Job.id.not_in(list(self._running)),
                    ),
                ),
            )
            .order_by(Job.created_at, Job.id)
        )

    def _run(self, context: JobContext) -> None:
        log.info("Job %s (%s) starts, attempt %d", context.job_id, context.kind, context.attempt)
        state: JobState = JobState.DONE
        reason: Message | None = None
        # One that was interrupted has something to clear away, cancelled or not.
        interrupted = context.attempt > 1 and not self._stopping.is_set()
        start = context.is_final or interrupted or not context.cancelled()
        try:
            if start:
                self._handlers[context.kind](context)
        except Cancelled as error:
            state, reason = JobState.CANCELLED, error.message
        except KoreError as error:
            state, reason = JobState.FAILED, error.message
            log.warning("Job %s (%s) failed: %s", context.job_id, context.kind, error)
        except Exception:
            log.exception("Job %s (%s) failed", context.job_id, context.kind)
            state, reason = JobState.FAILED, message("job_crashed", job=context.job_id)
        try:
            if not start and self._stopping.is_set():
                self._give_back(context, 0)
            elif state is JobState.FAILED and context.is_final:
                pause = min(2**context.attempt, _MAX_PAUSE_SECONDS)
                self._give_back(context, pause, reason)
            else:
                self._settle(context, state, reason)
        except Exception:
            log.exception("The end of job %s could not be written: it runs again", context.job_id)
        finally:
            self._running.discard(context.job_id)

    def _settle(self, context: JobContext, state: JobState, reason: Message | None) -> None:
        with self._services.db.session() as session:
            job = session.get(Job, context.job_id, with_for_update=True)
            if job is None or job.owner != self._owner:
                return
            if state is JobState.DONE and job.cancel_asked and not context.is_final:
                state = JobState.CANCELLED
            unfinished = (state is JobState.DONE and job.done < job.total) or (
                state is JobState.CANCELLED and not job.cancel_asked
            )
            if unfinished and self._stopping.is_set():
                # Interrupted by Kore's own end: the next process goes on.
                job.lease_until = now()
                return
            end_job(job, state, job.message if reason is None else reason)
        log.info("Job %s (%s) ends: %s", context.job_id, context.kind, state.value)

    def _give_back(self, context: JobContext, seconds: int, reason: Message | None = None) -> None:
        """Release the job to start again, after some seconds."""
        with self._services.db.session() as session:
            job = session.get(Job, context.job_id, with_for_update=True)
            if job is None or job.owner != self._owner:
                return
            job.lease_until = now() + timedelta(seconds=seconds)
            if reason is not None:
                job.message = message("job_retried", reason=reason)

    def _renew(self) -> None:
        while not self._stopping.wait(_HEARTBEAT_SECONDS):
            mine = list(self._running)
            if not mine:
                continue
            try:
                with self._services.db.session() as session:
                    session.execute(
                        update(Job)
                        .where(Job.id.in_(mine), Job.owner == self._owner)
                        .values(lease_until=now() + LEASE)
                    )
            except Exception:
                log.exception("The leases of running jobs could not be renewed")
