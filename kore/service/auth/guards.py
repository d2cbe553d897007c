"""Who may call which route. Every route names its guard; one without is refused to all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session

from kore.service.auth.sessions import Caller, callers
from kore.service.db.models import Backup, Course, Job
from kore.service.errors import Forbidden, NotFound, NotSignedIn
from kore.service.lifecycle import preconditions
from kore.service.memberships import find_role
from kore.service.services import Services
from kore.shared.roles import Role

Guard = Callable[[Caller], None]
CourseOf = Callable[[Request], str | None]
View = TypeVar("View", bound=Callable[..., Any])

HUB_LOGIN = "hub-login"
csrf = CSRFProtect()


def allow(guard: Guard | None) -> Callable[[View], View]:
    """Mark a route with who may call it; None is anyone at all."""

    def mark(view: View) -> View:
        view.kore_guard = guard  # type: ignore[attr-defined]
        return view

    return mark


def user(caller: Caller) -> None:
    """Admit every person who has signed in."""
    if caller.kind != "user":
        raise Forbidden("users_only")


def hub_login(caller: Caller) -> None:
    """Admit only the hub's own login."""
    if (caller.kind, caller.name) != ("service", HUB_LOGIN):
        raise Forbidden("hub_only")


def account_of(course_of: CourseOf) -> Guard:
    """Admit only the course's own account: its server, under its own token."""

    def check_account(who: Caller) -> None:
        user(who)
        if course_of(request) != who.name:
            raise NotFound("course_unknown")

    return check_account


def teacher_of(course_of: CourseOf) -> Guard:
    """Admit those who teach the request's course, and hub admins."""
    return _in_course(course_of, {Role.INSTRUCTOR})


def member_of(course_of: CourseOf) -> Guard:
    """Admit everyone in the request's course, and hub admins."""
    return _in_course(course_of, set(Role))


def in_path(received: Request) -> str | None:
    """Return the course in the path."""
    return (received.view_args or {}).get("course_id")


def in_query(received: Request) -> str | None:
    """Return the course in the query."""
    return received.args.get("course")


def in_body(received: Request) -> str | None:
    """Return the course in the JSON body."""
    body = received.get_json(silent=True)
    course = body.get("course") if isinstance(body, dict) else None
    return course if isinstance(course, str) else None


def of_job(received: Request) -> str | None:
    """Return the course of the job in the path."""
    with services().db.reading() as session:
        job = session.get(Job, (received.view_args or {}).get("job_id", ""))
        return job.course_id if job else None


def own_or_teacher_of(course_of: CourseOf) -> Guard:
    """Admit everyone who names no course, and with one those who teach it."""
    guard = teacher_of(course_of)

    def check_course(who: Caller) -> None:
        user(who)
        if course_of(request) is not None:
            guard(who)

    return check_course


def reader_of_job(who: Caller) -> None:
    """Admit those who teach the job's course; where that is gone, the one who started the job.

    Someone who had a course deleted can read how that ended, though others may have opened its
    activity again meanwhile.
    """
    user(who)
    try:
        teacher_of(of_job)(who)
    except (Forbidden, NotFound):
        # Looked up after the role: a course may go between the two.
        with services().db.reading() as session:
            job = session.get(Job, (request.view_args or {}).get("job_id", ""))
            if job is None or job.created_by != who.name:
                raise
            if job.kind != preconditions.DELETE.name and _is_there(session, job.course_id):
                raise


def reader_of_backup(who: Caller) -> None:
    """Admit those who teach the course that the backup is kept for, and hub admins.

    Where that course is gone, the one who made the backup.
    """
    user(who)
    with services().db.reading() as session:
        backup = session.get(Backup, (request.view_args or {}).get("backup_id", ""))
        if backup is not None:
            if find_role(session, backup.course_id, who.name) is Role.INSTRUCTOR:
                return
            if backup.kept_by == who.name and not _is_there(session, backup.course_id):
                return
    if not callers().is_admin(who):
        raise NotFound("backup_unknown")


def services() -> Services:
    """Return the application's ``Services``."""
    found = current_app.extensions["kore-services"]
    assert isinstance(found, Services)
    return found


def caller() -> Caller:
    """Return who calls; only in routes that are not open to anyone."""
    found = g.kore_caller
    assert isinstance(found, Caller)
    return found


def role() -> Role | None:
    """Return the caller's role in the request's course, as the guard has found it.

    None for a hub admin who is not a member; only behind a guard of members or teachers.
    """
    found: Role | None = g.kore_role
    return found


def is_admin() -> bool:
    """Whether the caller is an admin of the hub."""
    return callers().is_admin(caller())


def check() -> ResponseReturnValue | None:
    """Run the guard of the route that was asked for; Flask calls it before each request."""
    if request.endpoint is None:
        return None  # no such page: Flask says so itself
    view = current_app.view_functions[request.endpoint]
    if request.endpoint == "static":
        return None
    if not hasattr(view, "kore_guard"):
        raise Forbidden("unguarded")
    guard: Guard | None = view.kore_guard
    if guard is None:
        return None
    who = callers().identify(request, csrf)
    if who is None:
        if _is_browser():
            return redirect(callers().begin_login(request.script_root + request.full_path))
        raise NotSignedIn("sign_in")
    g.kore_caller = who
    guard(who)
    return None


def _is_browser() -> bool:
    """Whether a sign-in by redirects can succeed: a page, or a script on one."""
    if request.method != "GET" or "Authorization" in request.headers:
        return False
    return "Sec-Fetch-Mode" in request.headers or "text/html" in request.headers.get("Accept", "")


def _is_there(session: Session, course_id: str | None) -> bool:
    return course_id is not None and session.get(Course, course_id) is not None


def _in_course(course_of: CourseOf, roles: set[Role]) -> Guard:
    def guard(who: Caller) -> None:
        user(who)
        course_id = course_of(request)
        with services().db.reading() as session:
            g.kore_role = find_role(session, course_id, who.name) if course_id else None
        if g.kore_role in roles:
            return
        if g.kore_role is not None:
            raise Forbidden("teachers_only")
        if not callers().is_admin(who):
            raise NotFound("course_unknown")

    return guard
