"""Jobs of a course: how far they are, what came of them, and a way to stop them."""

from __future__ import annotations

from flask import Response, current_app
from flask_openapi3 import APIBlueprint, Tag

from kore.service import jobs
from kore.service.auth.guards import (
    allow,
    caller,
    in_query,
    own_or_teacher_of,
    reader_of_job,
    services,
)
from kore.service.routes.answers import answer, responses
from kore.service.schemas import JobInfo, JobPath, Jobs, JobsQuery

api = APIBlueprint("jobs", __name__, url_prefix="/jobs", abp_tags=[Tag(name="jobs")])
_ERRORS = (401, 403, 404, 422)
_MAX_JOBS = 50


def runner() -> jobs.Runner:
    """Return the application's ``Runner``."""
    found = current_app.extensions["kore-runner"]
    assert isinstance(found, jobs.Runner)
    return found


def answer_queued(job_id: str) -> Response:
    """Have a job that was just queued started at once, and answer with it."""
    runner().wake()
    return answer(jobs.read_report(services().db, job_id), 202)


@api.get("", responses=responses(200, Jobs, *_ERRORS))
@allow(own_or_teacher_of(in_query))
def list_jobs(query: JobsQuery) -> Response:
    """List a course's jobs, or the caller's own, the newest first, without their items."""
    db = services().db
    if query.course is None:
        return answer(Jobs(jobs=jobs.list_jobs_of_person(db, caller().name, limit=_MAX_JOBS)))
    return answer(Jobs(jobs=jobs.list_jobs_of_course(db, query.course, limit=_MAX_JOBS)))


@api.get("/<job_id>", responses=responses(200, JobInfo, *_ERRORS))
@allow(reader_of_job)
def job(path: JobPath) -> Response:
    """Return a job with its report."""
    return answer(jobs.read_report(services().db, path.job_id))


@api.post("/<job_id>/cancel", responses=responses(202, JobInfo, *_ERRORS, 409))
@allow(reader_of_job)
def cancel_job(path: JobPath) -> Response:
    """Ask a job to stop; what it has done stays done."""
    jobs.cancel(services().db, path.job_id, by=caller().name)
    return answer(jobs.read_report(services().db, path.job_id), 202)
