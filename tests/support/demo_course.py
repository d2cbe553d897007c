"""A new course of the demo with its teacher, its students, and the work they hand in."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import requests

from tests.support import notebooks
from tests.support.demo import Demo
from tests.support.web_user import WebUser

RIGHT = "def square(x):\n    return x * x"
WRONG = "def square(x):\n    return x"
KILLS = "import os\nos._exit(3)"
ENDLESS = "import time\ntime.sleep(3600)"
SLOW = f"import time\ntime.sleep(20)\n{RIGHT}"
ENDED = ("done", "failed", "cancelled")


class DemoCourse:
    """A new activity of Numerical Methods with tilda as its teacher, and one assignment."""

    def __init__(self, demo: Demo, title: str = "", *, assignment: str = "ps1") -> None:
        self.demo = demo
        self.title = title or f"Graded {secrets.token_hex(3)}"
        self.assignment = assignment
        activity = requests.post(
            f"{demo.lms}/api/activities",
            json={"course": "numerics", "title": self.title},
            timeout=30,
        )
        assert activity.ok, activity.text
        self.activity = str(activity.json()["slug"])
        self.teacher = WebUser(demo, "tilda")
        self.teacher.launch(self.activity)
        found = self.teacher.kore("GET", "/courses/current").json()["course"]
        self.id, self.whole_title = str(found["id"]), str(found["title"])
        self.desk = self.teacher.server(self.id)
        self.desk.write(f"source/{assignment}/squares.ipynb", notebooks.assignment(points=5))

    def release(self) -> None:
        """Make the students' version, and hand it out."""
        self.desk.formgrader("POST", f"assignment/{self.assignment}/assign")
        self.desk.formgrader("POST", f"assignment/{self.assignment}/release")

    def submit(self, answers: dict[str, str]) -> dict[str, str]:
        """Have students hand in; collect; return their users by their slugs."""
        users = {slug: self.hand_in(slug, code) for slug, code in answers.items()}
        self.desk.formgrader("POST", f"assignment/{self.assignment}/collect")
        return users

    def hand_in(self, slug: str, code: str) -> str:
        """Have a student launch, fetch, solve, and hand in; return their user."""
        work = {"course_id": self.id, "assignment_id": self.assignment}
        student = WebUser(self.demo, slug)
        student.launch(self.activity)
        student.enrolled(self.id)
        server = student.server()
        server.json("POST", "/assignments/fetch", json=work)
        path = f"{self.id}/{self.assignment}/squares.ipynb"
        # The same work once more within a minute would be a double click.
        answer = f"{code}\n# {secrets.token_hex(4)}"
        server.write(path, notebooks.solve(server.read(path), answer))
        assert server.json("POST", "/assignments/submit", json=work)["success"]
        return student.hub_name()

    def correct(self, user: str) -> None:
        """Put the right answer instead of one that was collected."""
        path = f"submitted/{user}/{self.assignment}/squares.ipynb"
        self.desk.write(path, notebooks.solve(self.desk.read(path), RIGHT))

    def grade(self, **more: object) -> str:
        """Ask for the job that autogrades; return its id."""
        path = f"/courses/{self.id}/autograde"
        answer = self.teacher.kore("POST", path, json={"assignment": self.assignment, **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a job is so; return it. Kore may be away for a moment."""
        deadline, beat = time.monotonic() + 240, threading.Event()
        found: dict[str, Any] = {}
        while time.monotonic() < deadline:
            answer = self.teacher.kore("GET", f"/jobs/{job}")
            if answer.ok:
                found = dict(answer.json())
                if until(found):
                    return found
                assert found["state"] not in ENDED, found
            beat.wait(0.2)
        raise AssertionError(found)

    def wait_for_end(self, job: str) -> dict[str, Any]:
        """Wait for a job's end; return it with its items by student."""
        found = self.job(job, lambda job: job["state"] in ENDED)
        found["by"] = {item["key"]: item for item in found["items"]}
        return found

    def batches(self) -> list[psutil.Process]:
        """Return the programs that grade in this course; another worker's demo has its own."""
        return [
            process
            for process in psutil.process_iter(["cmdline", "environ"])
            if "kore.singleuser.autograding.batch" in (process.info["cmdline"] or [])
            and (process.info["environ"] or {}).get("KORE_COURSE_ID") == self.id
        ]
