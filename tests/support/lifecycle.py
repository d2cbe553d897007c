"""Resets, deletes and restores a course of a test, and finds what is left afterwards."""

from __future__ import annotations

from typing import Any

from kore.service import jobs
from kore.service.backups import repository
from kore.service.db.models import Job, JobState, now
from kore.service.lifecycle import ending, preconditions, restoring
from kore.service.schemas import JobInfo
from tests.support.course import FullCourse


def run_job(course: FullCourse, job: str, state: str = "done") -> JobInfo:
    """Run what waits; return the report of a job that must end in ``state``."""
    course.kore.work()
    report = jobs.read_report(course.kore.db, job)
    assert report.state == state, report
    return report


def leave_final(course: FullCourse, job: str, **params: Any) -> None:
    """Leave a queued job as a kill does that comes after its point of no return."""
    with course.kore.db.session() as session:
        row = session.get_one(Job, job)
        row.params = {**row.params, **params, "no_return": True}
        row.state, row.attempts, row.lease_until = JobState.RUNNING, 1, now()


def code_of(report: JobInfo) -> str:
    """Return the id of the message that a job ended with."""
    assert report.message is not None
    return report.message.code


def queue_reset(course: FullCourse, **more: Any) -> str:
    """Queue a reset with a backup; ``more`` replaces arguments."""
    arguments: dict[str, Any] = {
        "by": course.teacher,
        "confirm": course.title,
        "backup": True,
        **more,
    }
    return ending.queue_ending(course.services, preconditions.RESET, course.course, **arguments)


def queue_delete(course: FullCourse, **more: Any) -> str:
    """Queue a deletion with a backup; ``more`` replaces arguments."""
    arguments: dict[str, Any] = {
        "by": course.teacher,
        "confirm": course.title,
        "backup": True,
        **more,
    }
    return ending.queue_ending(course.services, preconditions.DELETE, course.course, **arguments)


def queue_restore(course: FullCourse, backup: str, **more: Any) -> str:
    """Queue a restore; ``more`` replaces arguments."""
    arguments: dict[str, Any] = {
        "by": course.teacher,
        "confirm": course.title,
        "backup_id": backup,
        **more,
    }
    return restoring.queue_restore(course.services, course.course, **arguments)


def list_backups(course: FullCourse) -> dict[str, str]:
    """Return the ids of a course's backups by their origin."""
    listed = repository.list_backups(course.services, course.course, user=course.teacher)
    return {one.origin: one.id for one in listed.backups}


def find_left_over(course: FullCourse) -> list[str]:
    """Return the temporary files of work that has ended."""
    folder = course.services.settings.state_dir / "backups/incoming"
    found = [str(path) for path in folder.glob("*") if path.name != "lock"]
    return found + [str(path) for path in course.root.glob(".kore*")]
