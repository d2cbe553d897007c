"""A course's teacher and students who use nbgrader, over Kore or over nbgrader's own exchange.

The same commands drive both exchanges, so a test of one is a test of both.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.exchange import ExchangeFactory
from nbgrader.tests import run_nbgrader
from nbgrader.utils import get_username, parse_utc
from traitlets.config import Config

from kore.singleuser.exchange import FACTORY
from tests.support.kore import Harness

TITLES = ("Algebra", "Topology")


@contextmanager
def environment(folder: Path, values: Mapping[str, str]) -> Iterator[None]:
    """Work in a folder with these environment variables."""
    before, here = dict(os.environ), Path.cwd()
    os.environ.update(values)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Desk:
    """A person's files and nbgrader."""

    name: str
    folder: Path
    variables: dict[str, str]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / ".jupyter").mkdir(parents=True)
        self.configure()

    def configure(self, **more: dict[str, Any]) -> None:
        """Write the nbgrader_config.py, with further settings by class."""
        for section, values in more.items():
            self.settings.setdefault(section, {}).update(values)
        lines = ["c = get_config()"]
        lines += [
            f"c.{section}.{name} = {value!r}"
            for section, values in self.settings.items()
            for name, value in values.items()
        ]
        (self.folder / "nbgrader_config.py").write_text("\n".join(lines) + "\n")

    @contextmanager
    def active(self) -> Iterator[None]:
        """Work in this person's folder and environment."""
        own = {
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "JUPYTER_CONFIG_DIR": str(self.folder / ".jupyter"),
            "JUPYTER_DATA_DIR": str(self.folder / ".data"),
        }
        with environment(self.folder, {**own, **self.variables}):
            yield

    def nbgrader(self, *arguments: str, fails: bool = False) -> str:
        """Run a command of nbgrader; return what it logs."""
        real = os.environ
        with self.active():
            try:
                return str(run_nbgrader(list(arguments), retcode=1 if fails else 0))
            finally:
                # nbgrader's helper replaces the environment with a copy.
                os.environ = real  # noqa: B003

    def lines(self, *arguments: str) -> list[str]:
        """Run a command; return its messages without level and program."""
        log = self.nbgrader(*arguments)
        return [line.partition("] ")[2] for line in log.splitlines() if line.startswith("[")]

    def exchange(self, kind: str, course: str, assignment: str, **more: Any) -> Any:
        """Run one of the exchange's classes as the lab extensions do; return its answer."""
        from nbgrader.apps import NbGrader
        from nbgrader.auth import Authenticator
        from nbgrader.coursedir import CourseDirectory

        with self.active():
            app = NbGrader()
            app.load_config_file()
            config = Config(app.config)
            config.CourseDirectory.course_id = course
            config.CourseDirectory.assignment_id = assignment
            made = getattr(ExchangeFactory(config=config), kind)(
                coursedir=CourseDirectory(config=config),
                authenticator=Authenticator(config=config),
                config=config,
            )
            for name, value in more.items():
                setattr(made, name, value)
            return made.start()

    def notebook(self, path: str, text: str = "1 + 1") -> Path:
        """Write a notebook."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=[new_code_cell(text, id="a")]), target)
        return target


@dataclass
class World:
    """Two courses, their teachers' desks, and one student's."""

    kind: str
    courses: list[str]
    teachers: dict[str, Desk]
    student: Desk
    others: dict[str, Desk]
    kore: Harness | None = None

    @property
    def course(self) -> str:
        """The first course."""
        return self.courses[0]

    @property
    def teacher(self) -> Desk:
        """The first course's teacher."""
        return self.teachers[self.course]

    def release(self, assignment: str, *flags: str, course: str = "", fails: bool = False) -> str:
        """Release an assignment of one notebook."""
        course = course or self.course
        self.teachers[course].notebook(f"release/{assignment}/p1.ipynb", f"'{assignment}'")
        return self.teachers[course].nbgrader(
            "release_assignment", assignment, "--course", course, *flags, fails=fails
        )

    def fetch(self, assignment: str, *flags: str, course: str = "", fails: bool = False) -> str:
        """Fetch an assignment as the student."""
        return self.student.nbgrader(
            *("fetch_assignment", assignment, "--course", course or self.course, *flags),
            fails=fails,
        )

    def submit(self, assignment: str, *flags: str, course: str = "", fails: bool = False) -> str:
        """Submit as the student."""
        return self.student.nbgrader(
            *("submit", assignment, "--course", course or self.course, *flags), fails=fails
        )

    def work_on(self, assignment: str) -> None:
        """Change something in the student's notebook."""
        self.student.notebook(f"{assignment}/p1.ipynb", f"'{secrets.token_hex(4)}'")

    def collect(self, assignment: str, *flags: str, fails: bool = False) -> str:
        """Collect as the teacher."""
        return self.teacher.nbgrader(
            "collect", assignment, "--course", self.course, *flags, fails=fails
        )

    def release_and_fetch(self, assignment: str, course: str = "") -> None:
        """Release an assignment, and fetch it as the student."""
        self.release(assignment, course=course)
        self.fetch(assignment, course=course)

    def submitted(self, assignment: str) -> Path:
        """Return where the student's collected work is."""
        return self.teacher.folder / "submitted" / self.student.name / assignment

    def submitted_at(self, assignment: str) -> Any:
        """Return when the collected work was submitted."""
        return parse_utc((self.submitted(assignment) / "timestamp.txt").read_text())

    def grade(self, assignment: str, page: str = "<p>Well done</p>") -> None:
        """Write feedback on collected work where nbgrader does, without a kernel."""
        source = self.submitted(assignment)
        target = self.teacher.folder / "feedback" / self.student.name / assignment
        target.mkdir(parents=True, exist_ok=True)
        for name in ("timestamp.txt", "submission_secret.txt"):
            if (source / name).exists():
                shutil.copy(source / name, target / name)
        for notebook in source.glob("*.ipynb"):
            (target / f"{notebook.stem}.html").write_text(page)

    def release_feedback(self, assignment: str, *flags: str, fails: bool = False) -> str:
        """Release feedback as the teacher."""
        return self.teacher.nbgrader(
            "release_feedback", assignment, "--course", self.course, *flags, fails=fails
        )

    def fetch_feedback(self, assignment: str) -> str:
        """Fetch feedback as the student."""
        return self.student.nbgrader("fetch_feedback", assignment, "--course", self.course)

    def inbound(self) -> list[str]:
        """Return the lines about submissions that the teacher sees."""
        return self.teacher.lines("list", "--inbound", "--course", self.course)[1:]

    def cached(self, *more: str) -> list[str]:
        """Return the lines about submissions that the student sees."""
        return self.student.lines("list", "--cached", "--course", self.course, *more)[1:]


def over_folders(folder: Path) -> World:
    """Return a world with nbgrader's own exchange, in which everyone has the same account."""
    root = folder / "exchange"
    root.mkdir(mode=0o777, parents=True)
    root.chmod(0o777)
    courses = ["abc101", "xyz200"]

    def desk(name: str, place: str) -> Desk:
        return Desk(name, folder / place, {}, {"Exchange": {"root": str(root)}})

    teachers = {course: desk("teacher", course) for course in courses}
    for teacher in teachers.values():
        teacher.configure(CourseDirectory={"root": str(teacher.folder)})
    return World("folders", courses, teachers, desk(get_username(), "student"), {})


def over_kore(kore: Harness, url: str, folder: Path) -> World:
    """Return a world with Kore served over HTTP."""
    courses = []
    for link, title in enumerate(TITLES):
        course, _ = kore.launch("900", "Instructor", activity=title, link=f"link-{link}")
        for sub in ("101", "102"):
            kore.launch(sub, "Learner", activity=title, link=f"link-{link}")
        courses.append(course)
    kore.work()

    def desk(name: str, place: Path, **settings: dict[str, Any]) -> Desk:
        variables = {
            "KORE_URL": url,
            "JUPYTERHUB_API_TOKEN": kore.token_for(name),
            "JUPYTERHUB_USER": name,
        }
        made = Desk(name, place, variables, {"ExchangeFactory": dict(FACTORY)})
        made.configure(**settings)
        return made

    teachers = {}
    for course in courses:
        root = kore.services.host.course_root(course)
        teachers[course] = desk(course, root, CourseDirectory={"root": str(root)})
    people = {
        name: desk(name, folder / name, CourseDirectory={"student_id": name})
        for name in ("u101", "u102", "u900", "u500")
    }
    return World("kore", courses, teachers, people.pop("u101"), people, kore)
