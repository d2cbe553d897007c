"""A course that was really released, solved and graded: backed up, reset, restored, deleted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import notebooks
from tests.support.demo import Demo
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]


def _done(person: WebUser, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a job, wait for its end, and return its report."""
    answer = person.kore(method, path, json=body)
    assert answer.status_code == 202, answer.text
    job = person.wait_for_end(answer.json()["id"])
    assert job["state"] == "done", job
    return job


def _points(person: WebUser, course: str) -> dict[str, Any]:
    preview = person.kore("GET", f"/grades?course={course}")
    if preview.status_code != 200:
        return {}
    return {
        entry["user"]: entry["given"]
        for entry in preview.json()["entries"]
        if entry["given"] is not None
    }


def _hand_in(student: WebUser, course: str, answer: str) -> None:
    student.launch("words")
    student.enrolled(course)
    server, what = student.server(), {"course_id": course, "assignment_id": "ps1"}
    server.json("POST", "/assignments/fetch", json=what)
    path = f"{course}/ps1/squares.ipynb"
    server.write(path, notebooks.solve(server.read(path), answer))
    assert server.json("POST", "/assignments/submit", json=what)["success"]


def _owners(folder: Path) -> set[int]:
    """Whose the files below a folder are, though its server makes and removes some meanwhile."""
    owners = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            owners.add(path.lstat().st_uid)
    return owners


def test_a_graded_course_through_all_that_can_happen_to_it(demo: Demo):
    """After each operation the course works on: it grades as before, or starts again."""
    through_everything(demo, homes=demo.state_dir / "homes")


def through_everything(demo: Any, *, homes: Path | None = None) -> None:
    """Walk a course through all of it, in the demo or in a container; ``homes`` if at hand."""
    teacher, right, late = WebUser(demo, "marek"), WebUser(demo, "zoe"), WebUser(demo, "mila")
    teacher.launch("words")
    [course] = [
        c["id"]
        for c in teacher.kore("GET", "/courses").json()["courses"]
        if c["activity_title"] == "Counting words"
    ]
    title = teacher.kore("GET", f"/courses/{course}").json()["title"]
    desk = teacher.server(course)
    desk.write("source/ps1/squares.ipynb", notebooks.assignment(points=5))
    # The course's server runs already, and goes by the settings as they are now.
    wanted = teacher.kore("GET", f"/courses/{course}/settings").json()
    wanted["code_stub"]["python"] = "# Yours"
    assert teacher.kore("PUT", f"/courses/{course}/settings", json=wanted).ok
    desk.formgrader("POST", "assignment/ps1/assign")
    assert "# Yours" in str(desk.read("release/ps1/squares.ipynb"))
    desk.formgrader("POST", "assignment/ps1/release")
    _hand_in(right, course, "def square(x):\n    return x * x")
    desk.formgrader("POST", "assignment/ps1/collect")
    desk.formgrader("POST", f"submission/ps1/{right.hub_name()}/autograde")
    graded = {right.hub_name(): 5.0}
    assert _points(teacher, course) == graded

    backup = _done(teacher, "POST", f"/courses/{course}/backups", {"contents": "everything"})["id"]
    downloaded = teacher.kore("GET", f"/backups/{backup}/archive").content

    # Reset while its server runs: nobody and nothing of theirs is left, the sources are.
    _done(teacher, "POST", f"/courses/{course}/reset", {"confirm": title, "backup": False})
    shown = teacher.kore("GET", f"/courses/{course}").json()
    assert [(a["name"], a["state"]) for a in shown["assignments"]] == [("ps1", "draft")]
    assert {person["role"] for person in shown["people"]} == {"instructor"}
    assert _points(teacher, course) == {}
    teacher.launch("words")
    desk = teacher.server(course)
    desk.formgrader("POST", "assignment/ps1/assign")
    desk.formgrader("POST", "assignment/ps1/release")
    _hand_in(late, course, "def square(x):\n    return 9")
    desk.formgrader("POST", "assignment/ps1/collect")
    desk.formgrader("POST", f"submission/ps1/{late.hub_name()}/autograde")
    assert _points(teacher, course) == {late.hub_name(): 0.0}

    # Back to how it was; work that comes in now is graded in the same course.
    _done(teacher, "POST", f"/courses/{course}/restore", {"backup": backup, "confirm": title})
    assert _points(teacher, course) == graded
    teacher.launch("words")
    desk = teacher.server(course)
    _hand_in(late, course, "def square(x):\n    return x ** 2")
    desk.formgrader("POST", "assignment/ps1/collect")
    job = _done(teacher, "POST", f"/courses/{course}/autograde", {"assignment": "ps1"})
    assert [(item["key"], item["outcome"]) for item in job["items"]] == [
        (late.hub_name(), "graded")
    ]
    assert _points(teacher, course) == {**graded, late.hub_name(): 5.0}
    if homes and os.geteuid() == 0:
        home = homes / course
        assert _owners(home) == {home.stat().st_uid}

    # Gone with all that the hub knew, while its server runs; the next launch begins afresh.
    _done(teacher, "POST", f"/courses/{course}/delete", {"confirm": title, "backup": True})
    assert not homes or not (homes / course).exists()
    assert course not in str(teacher.kore("GET", "/courses").json())
    arrived = teacher.launch("words")
    assert arrived.url == f"{demo.hub}/user/{course}/lab"
    assert teacher.kore("GET", f"/courses/{course}").json()["assignments"] == []

    # What was downloaded before comes back too, and is graded by the same points.
    uploaded = teacher.kore(
        "POST",
        f"/backups/upload?course={course}",
        data=downloaded,
    )
    assert uploaded.status_code == 415, "a type is needed"
    answer = teacher.browser.post(
        f"{demo.kore}/backups/upload?course={course}",
        data=downloaded,
        headers={
            "Accept": "application/json",
            "Sec-Fetch-Mode": "cors",
            "Content-Type": "application/octet-stream",
            "X-CSRFToken": teacher.csrf(),
        },
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    _done(
        teacher,
        "POST",
        f"/courses/{course}/restore",
        {"backup": answer.json()["id"], "confirm": title},
    )
    assert _points(teacher, course) == graded
    told = teacher.kore("GET", f"/courses/{course}/audit").json()
    assert [e["action"] for e in reversed(told["entries"]) if e["job"]] == [
        "course.backup",
        "course.reset",
        "course.restore",
        "assignment.autograde",
        "course.delete",
        "course.restore",
    ]
    assert {e["by_name"] for e in told["entries"] if e["job"]} == {
        next(p["name"] for p in shown["people"] if p["user"] == teacher.hub_name())
    }
