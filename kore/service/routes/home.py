"""Kore's own pages, for people: the service ``kore`` in the hub's control panel.

One is the shell around the panel, whose code is in ``kore/ui`` and which asks the REST API. The
others need no script: waiting for a course, and errors, in the reader's language.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import (
    Blueprint,
    Request,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from kore.service import catalog
from kore.service.auth.guards import (
    allow,
    caller,
    in_path,
    member_of,
    reader_of_job,
    services,
    user,
)
from kore.service.auth.sessions import callers
from kore.service.courses import listing
from kore.service.courses.launches import find_standing
from kore.service.courses.provision import is_known_to_hub
from kore.service.errors import Forbidden, KoreError, Unavailable
from kore.shared.messages import message
from kore.shared.roles import Role

pages = Blueprint("pages", __name__)

# One try a second: a hub under load takes a minute or more to make a new course.
_MAX_TRIES = 120


@pages.app_context_processor
def _for_all_pages() -> dict[str, Any]:
    """Return what every page uses: its language and texts, the hub's addresses, built files."""
    hub = services().settings.base_url + "hub/"
    return {
        "language": catalog.spoken_language(),
        "text": lambda message_id: catalog.render(message(message_id)),
        "hub": hub,
        "own_lab": hub + "user-redirect/lab",
        "asset": _asset,
    }


@pages.get("/")
@allow(user)
def courses() -> str:
    """Show the panel, which lists the caller's courses."""
    return _panel()


@pages.get("/page/courses/<course_id>")
@allow(member_of(in_path))
def course(course_id: str) -> str:  # noqa: ARG001
    """Show the panel at a course."""
    return _panel()


@pages.get("/page/courses/<course_id>/<view>")
@allow(member_of(in_path))
def course_view(course_id: str, view: str) -> str:  # noqa: ARG001
    """Show the panel at something of a course: its grades, its backups, its history."""
    return _panel()


@pages.get("/page/jobs/<job_id>")
@allow(reader_of_job)
def job(job_id: str) -> str:  # noqa: ARG001
    """Show the panel at a job's report."""
    return _panel()


@pages.get("/launch/<course_id>")
@allow(user)
def launch(course_id: str) -> ResponseReturnValue:
    """Bring a teacher, who comes from the LMS, into JupyterLab of the course.

    The hub reports the launch at the same time, so the course may not be ready yet: the page
    says so and asks again every second.
    """
    role, ready = find_standing(services().db, course_id, caller().name)
    if role is not None and role is not Role.INSTRUCTOR:
        return redirect(url_for("pages.course", course_id=course_id))
    if ready and is_known_to_hub(services(), course_id):
        lab = listing.server_links(services(), course_id).lab
        base = services().settings.base_url
        return redirect(f"{base}hub/spawn/{quote(course_id)}?next={quote(lab)}")
    tries = request.args.get("tries", 0, type=int) + 1
    if tries > _MAX_TRIES:
        raise Unavailable("course_not_ready.long")
    response = make_response(render_template("waiting.html"))
    again = url_for("pages.launch", course_id=course_id, tries=tries)
    response.headers["Refresh"] = f"1; url={again}"
    return response


@pages.get("/oauth_callback")
@allow(None)
def oauth_callback() -> ResponseReturnValue:
    """Finish a sign-in at the hub (RFC 6749, section 4.1.2)."""
    if "error" in request.args:
        raise Forbidden("login_refused")
    target = callers().finish_login(request.args.get("state", ""), request.args.get("code", ""))
    return redirect(target)


def wants_page(received: Request) -> bool:
    """Whether the sender of a request reads its answer as a page."""
    if received.endpoint is None:
        return "text/html" in received.headers.get("Accept", "")
    return received.blueprint == pages.name


def error_page(error: KoreError, status: int) -> Response:
    """Render an error for a person."""
    return make_response(render_template("error.html", error=error, status=status), status)


def _panel() -> str:
    """Render the shell in which the panel shows itself. Raises Unavailable without one."""
    if not _built("panel.js"):
        raise Unavailable("panel_missing")
    return render_template("panel.html")


def _asset(name: str) -> str:
    """Return the address of a built file; it changes with each build, as browsers keep it."""
    return url_for("static", filename=f"panel/{name}", v=_built(name))


def _built(name: str) -> str:
    """Return when a file of the panel was built; "" where it was not."""
    path = Path(str(current_app.static_folder)) / "panel" / name
    return f"{path.stat().st_mtime_ns:x}" if path.is_file() else ""
