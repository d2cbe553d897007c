"""The command ``python -m kore take-over``."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from pathlib import Path

from sqlalchemy import select

from kore.service.db.models import Course
from kore.service.errors import KoreError
from kore.service.exchange.takeover import Report, take_over
from kore.service.memberships import find_course
from kore.service.services import Services, open_services
from kore.service.settings import Settings, SettingsError

_HELP = """\
Import a course from nbgrader's own file exchange.

DIR is the exchange's root: the folder with one folder for each course, and in that
outbound/, inbound/ and feedback/. Nothing in it is changed. The command may be run again at
any time, also after an interruption: it leaves what is there already as it is.

  outbound/<assignment>          is released, unless Kore has released one of that name.
                                 Time: that of the folder.
  inbound/<user>+<assignment>+<time>[+<random>]
                                 becomes a submission of <user> at <time>: the folder's name
                                 is trusted, as the owner of its files may be gone. All
                                 submissions are kept, also of people who have not opened
                                 the activity in the LMS yet: the report names those.
  feedback/<hash>.html           goes to the submission whose secret (submission_secret.txt)
                                 and notebook give this hash; in exchanges of before
                                 nbgrader 0.8, whose notebook, names and time do. Feedback
                                 that fits no submission is counted in the report.

Links, devices and names that are not plain text are left out; the report names them.
Limits on size do not apply.

The course must be known to Kore: open its activity in the LMS once. Run this as the account
that Kore runs as, with Kore's variables KORE_STATE_DIR, KORE_EXCHANGE and, where it has one,
KORE_DATABASE_URL. Kore may run meanwhile.
"""


def main(argv: list[str]) -> int:
    """Run the command. Return 0 if all was imported, 1 if something was not, 2 if nothing was."""
    parser = argparse.ArgumentParser(
        prog="python -m kore take-over",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--exchange", required=True, type=Path, metavar="DIR")
    parser.add_argument("--course", metavar="ID", help="only this course of Kore's")
    parser.add_argument(
        "--folder", metavar="NAME", help="the course's folder in DIR, where it is not its id"
    )
    options = parser.parse_args(argv)
    if options.folder and not options.course:
        parser.error("--folder needs --course")
    try:
        services = open_services(_read_settings())
        courses = _find_courses(services, options.exchange, options.course, options.folder)
        reports = [_import(services, course_id, folder) for course_id, folder in courses]
    except KoreError as error:
        return _fail(f"{error} {error.hint}")
    except SettingsError as error:
        return _fail(str(error))
    return 1 if any(report.problems for report in reports) else 0


def _read_settings() -> Settings:
    """Return Kore's settings, for the account that Kore runs as."""
    settings = Settings.from_environment(hub=False)
    owner = settings.state_dir.stat().st_uid if settings.state_dir.exists() else None
    if owner != os.geteuid():
        raise SettingsError(
            f"KORE_STATE_DIR ({settings.state_dir}) is not there"
            if owner is None
            else f"run this as the account that Kore runs as, {_account_name(owner)}"
        )
    return settings


def _find_courses(
    services: Services, exchange: Path, course_id: str | None, folder: str | None
) -> list[tuple[str, Path]]:
    if not exchange.is_dir():
        raise SettingsError(f"{exchange} is not a folder")
    with services.db.reading() as session:
        if course_id:
            found = [(find_course(session, course_id).id, exchange / (folder or course_id))]
        else:
            found = [(one, exchange / one) for one in session.scalars(select(Course.id))]
    found = [(one, path) for one, path in found if path.is_dir()]
    if not found:
        raise SettingsError(f"{exchange} has no folder of a course that Kore knows")
    return found


def _import(services: Services, course_id: str, folder: Path) -> Report:
    report = take_over(services, course_id, folder)
    lines = [
        f"{course_id}: {report.releases} assignments, {report.submissions} submissions and "
        f"feedback on {report.feedback} imported; {report.already} were there already.",
        *(f"  not imported: {problem}" for problem in report.problems),
    ]
    if report.strangers:
        strangers = ", ".join(report.strangers)
        lines.append(f"  imported, of people who have not opened the activity yet: {strangers}")
    if report.unfit_feedback:
        lines.append(f"  {report.unfit_feedback} pages in feedback/ fit no submission.")
    print("\n".join(lines))  # noqa: T201
    return report


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _fail(reason: str) -> int:
    print(f"Nothing could be imported: {reason}", file=sys.stderr)  # noqa: T201
    return 2
