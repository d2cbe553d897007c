"""A course with graded work between a real gradebook and the embedded LMS.

    with graded_course(tmp_path, profile="canvas") as course:
        course.grade("zoe", "ps1", 7)
        report = course.send()

Kore's database, jobs, keys and gradebook are real; there is no hub.
"""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, jsonify
from nbgrader.api import Gradebook
from sqlalchemy import select, update
from sqlalchemy.exc import SAWarning

from ananke.demo.lms.store import Enrolment, Grade, LineItem, User, find_activity
from kore.host import LocalHost
from kore.service import grades
from kore.service.coursedir import gradebook
from kore.service.courses.launches import record_launch
from kore.service.db.engine import open_database
from kore.service.db.models import Job, JobItem, Score
from kore.service.grades import sending
from kore.service.grades.plans import SEND
from kore.service.grades.schemas import GradesPreview
from kore.service.hubapi import HubApi
from kore.service.jobs import Runner, runner
from kore.service.lti.client import RetryPolicy
from kore.service.lti.keys import KeyStore
from kore.service.lti.services import Platforms
from kore.service.services import Services
from kore.service.settings import Settings
from kore.shared.lti.claims import Launch
from kore.shared.lti.identity import derive_user_name
from kore.shared.messages import Message, message
from tests.support.embedded_lms import RunningLms, running_lms, serving

# Real waits, short: the rules are the same. An answer with a token includes the LMS fetching
# Kore's key set from this process, which a busy machine takes seconds for.
QUICK = RetryPolicy(
    connect=3, read=3, answer=12, max_tries=6, first_wait=0.02, max_wait=3, budget=30
)
TEACHER = "tilda"
# Points of a class, and what the LMS holds of them: points of 100, and times written.
EVERYONE = {"zoe": 7, "mila": 4.5, "niko": 0, "layla": 10}
ON_THE_COLUMN = {"zoe": 70, "mila": 45, "niko": 0, "layla": 100}
ONCE = {slug: (points, 1) for slug, points in ON_THE_COLUMN.items()}
ALL_SENT = dict.fromkeys(EVERYONE, "sent")
# There is no hub: runners leave all other jobs alone.
HANDLERS = {SEND: sending.run}


@dataclass
class Line:
    """A line of a job's report."""

    label: str
    outcome: str
    message: Message | None
    detail: dict[str, Any]


@dataclass
class Report:
    """How a job ended, its lines by the LMS's slugs."""

    id: str
    state: str
    message: Message | None
    lines: dict[str, Line]

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcomes by slug."""
        return {slug: line.outcome for slug, line in self.lines.items()}


@dataclass
class GradedCourse:
    """A course of the LMS, seen from both sides."""

    lms: RunningLms
    services: Services
    runner: Runner
    folder: Path
    activity: str
    course_id: str = ""
    users: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """nbgrader's course directory."""
        return self.services.host.course_root(self.course_id)

    def launch(self, slug: str, **changes: Any) -> str:
        """Let someone launch the activity; return their user name."""
        claims = self.lms.claims(slug, self.activity, **changes)
        launch = Launch.from_claims(claims, client_id=self.lms.config.client_id)
        user = derive_user_name(launch.sub, launch.issuer)
        recorded = record_launch(
            self.services.db, user, launch, token_url=self.lms.config.token_url
        )
        self.course_id = recorded.course_id
        self.users[slug] = user
        return user

    def fill(self, number: int) -> list[str]:
        """Enrol many students in the LMS's course and let them launch; return their slugs."""
        slugs = [f"student-{index}" for index in range(number)]
        with self.lms.app.app_context(), self.lms.store.write_session() as db:
            activity = find_activity(db, self.activity)
            assert activity is not None
            for index, slug in enumerate(slugs):
                sub = str(5000 + index)
                user = User(slug=slug, sub=sub, opaque_sub=sub, name=slug)
                db.add(Enrolment(user=user, course=activity.course, role="student"))
        for slug in slugs:
            self.launch(slug)
        return slugs

    @contextmanager
    def gradebook(self) -> Iterator[Any]:
        """Open nbgrader's gradebook."""
        path = self.root / "gradebook.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        gradebook.create(path, self.course_id)
        with warnings.catch_warnings(), Gradebook(f"sqlite:///{path}", self.course_id) as book:
            # nbgrader's own way with its session.
            warnings.simplefilter("ignore", SAWarning)
            yield book

    def assignment(self, name: str, points: float = 10) -> None:
        """Add an assignment with one graded cell."""
        with self.gradebook() as book:
            book.add_assignment(name)
            book.add_notebook("problem", name)
            book.add_grade_cell("cell", "problem", name, max_score=points, cell_type="code")

    def grade(
        self,
        who: str | dict[str, float],
        assignment: str = "ps1",
        score: float = 0,
        *,
        penalty: float = 0,
        by_hand: bool = False,
    ) -> None:
        """Give someone (a slug or any student id), or many, an autograded submission."""
        scores = who if isinstance(who, dict) else {who: score}
        with self.gradebook() as book:
            for slug, points in scores.items():
                student = self.users.get(slug, slug)
                book.update_or_create_student(student)
                submission = book.update_or_create_submission(assignment, student)
                (notebook,) = submission.notebooks
                notebook.late_submission_penalty = penalty
                (cell,) = notebook.grades
                cell.auto_score = None if by_hand else points
                cell.needs_manual_grade = by_hand
            book.db.commit()

    def hand_in(self, slug: str, assignment: str, at: str, *, graded: bool = False) -> None:
        """Put collected work, and its graded copy, where nbgrader does."""
        for stage in ("submitted", "autograded") if graded else ("submitted",):
            folder = self.root / stage / self.users.get(slug, slug) / assignment
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "timestamp.txt").write_text(at)

    def preview(self) -> GradesPreview:
        """What would be sent."""
        return grades.preview(self.services, self.course_id)

    def queue(self, *, resend: bool = False, only: list[str] | None = None) -> str:
        """Queue a sending; return the job's id."""
        users = None if only is None else [self.users.get(slug, slug) for slug in only]
        teacher = self.users[TEACHER]
        return grades.send(self.services, self.course_id, by=teacher, resend=resend, only=users)

    def send(self, *, resend: bool = False, only: list[str] | None = None) -> Report:
        """Send, here and now; return the report."""
        job_id = self.queue(resend=resend, only=only)
        self.work()
        return self.report(job_id)

    def work(self) -> None:
        """Do the grading jobs that wait, in this thread."""
        while (job := self.runner._claim()) is not None:
            self.runner._run(job)

    def report(self, job_id: str) -> Report:
        """The report of a job."""
        slugs = {user: slug for slug, user in self.users.items()}
        with self.services.db.reading() as session:
            job = session.get_one(Job, job_id)
            items = session.scalars(select(JobItem).where(JobItem.job_id == job_id)).all()
        return Report(
            id=job.id,
            state=str(job.state),
            message=job.message,
            lines={
                slugs.get(item.key, item.key): Line(
                    item.label, item.outcome, item.message, item.detail
                )
                for item in items
            },
        )

    def score(self, slug: str) -> Score:
        """Kore's row of the last score of a student."""
        with self.services.db.reading() as session:
            return session.get_one(Score, (self.course_id, "", self.users[slug]))

    def held(self) -> dict[str, tuple[float | None, int]]:
        """What the LMS's columns of the activity hold: points, and times written."""
        with self.lms.store.read_session() as db:
            rows = db.execute(
                select(User.slug, Grade.points, Grade.writes)
                .join(Grade, Grade.user_id == User.id)
                .join(LineItem, LineItem.id == Grade.line_item_id)
                .where(LineItem.activity.has(slug=self.activity))
            ).all()
        return {slug: (points, writes) for slug, points, writes in rows}

    def age_grades(self, seconds: int = 3600) -> None:
        """Make everything in the LMS's gradebook older; newer, where ``seconds`` are negative."""
        with self.lms.store.write_session() as db:
            db.execute(update(Grade).values(stamp=Grade.stamp - seconds * 1_000_000))


def open_kore(folder: Path, policy: RetryPolicy = QUICK, database_url: str = "") -> Services:
    """Open a Kore whose state lies in a folder, without a hub."""
    state_dir = folder / "kore"
    state_dir.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        state_dir=state_dir,
        homes=folder / "homes",
        exchange=folder / "exchange",
        database_url=database_url or f"sqlite:///{state_dir / 'kore.sqlite'}",
        listen="http://127.0.0.1:0",
        prefix="/services/kore",
        base_url="/",
        api_url="http://hub.invalid/hub/api",
        api_token="no-token",
        threads=4,
        job_threads=1,
        platform_requests=4,
    )
    keys = KeyStore(state_dir / "keys")
    return Services(
        settings=settings,
        db=open_database(settings.database_url),
        hub=HubApi(settings.api_url, settings.api_token),
        host=LocalHost(homes=settings.homes, exchange=settings.exchange),
        keys=keys,
        lti=Platforms(keys, policy=policy),
    )


@contextmanager
def graded_course(
    folder: Path,
    *,
    profile: str = "moodle",
    activity: str = "roots",
    policy: RetryPolicy = QUICK,
    students: tuple[str, ...] = ("zoe", "mila", "niko", "layla"),
    database_url: str = "",
) -> Iterator[GradedCourse]:
    """Make a course whose teacher and some students have launched its activity."""
    services = open_kore(folder, policy, database_url)
    tool = Flask("kore-keys")
    tool.add_url_rule("/services/kore/jwks", "jwks", lambda: jsonify(services.keys.jwks()))
    with (
        serving(tool) as tool_url,
        running_lms(folder, profile=profile, tool_url=tool_url) as lms,
    ):
        course = GradedCourse(
            lms, services, Runner(services, HANDLERS, threads=1), folder, activity
        )
        course.launch(TEACHER)
        for slug in students:
            course.launch(slug)
        try:
            yield course
        finally:
            services.db.close()


def counts(**numbers: int) -> Message:
    """Return the summary of a job: how many scores had which outcome, in the order given."""
    parts = [message(f"count.{outcome}", n=number) for outcome, number in numbers.items()]
    return message("counts", parts=parts)


def _work_until_done(folder: Path, job_id: str) -> None:
    """Be Kore's process: work until a job has ended."""
    runner.LEASE = timedelta(seconds=0.5)
    runner._HEARTBEAT_SECONDS = 0.1
    runner._POLL_SECONDS = 0.05
    runner._MAX_ATTEMPTS = 1000
    services = open_kore(folder)
    Runner(services, HANDLERS, threads=1).start()
    while True:
        with services.db.reading() as session:
            if session.get_one(Job, job_id).ended_at is not None:
                return
        time.sleep(0.02)


def start_kore(folder: Path, job_id: str) -> multiprocessing.process.BaseProcess:
    """Start a process that works on a job, and ends with it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.graded_course"])
    process = context.Process(target=_work_until_done, args=(folder, job_id), daemon=True)
    process.start()
    return process
