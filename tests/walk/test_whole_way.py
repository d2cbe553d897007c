"""From the LMS to a grade and back, over HTTP, with real servers and kernels."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests

from tests.support import notebooks
from tests.support.container import Box
from tests.support.demo import Demo
from tests.support.web_user import Server, WebUser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]


def _gradebook(demo: Demo | Box, course: str, activity: str) -> dict[str, float]:
    """Return the points that the LMS shows for an activity, by person."""
    book = requests.get(f"{demo.lms}/api/gradebook", params={"course": course}, timeout=30).json()
    return {
        grade["user"]: grade["points"]
        for item in book["line_items"]
        if item["activity"] == activity
        for grade in item["grades"]
        if grade["points"] is not None
    }


def _handed_in(server: Server, course_id: str) -> list[dict]:
    """Return a student's submissions as the lab's assignment list gets them."""
    listed = server.json("GET", f"/assignments?course_id={course_id}")["value"]
    return [one for entry in listed for one in entry.get("submissions", [])]


def test_from_the_lms_to_a_grade_and_back(demo: Demo | Box):
    """A new course: released, fetched, solved, submitted, collected, graded, sent, shown."""
    teacher = WebUser(demo, "tilda")
    arrived = teacher.launch("roots")
    assert arrived.status_code == 200
    [course] = [
        c
        for c in teacher.kore("GET", "/courses").json()["courses"]
        if c["activity_title"] == "Roots and fixed points"
    ]
    course_id = course["id"]
    assert arrived.url == f"{demo.hub}/user/{course_id}/lab"
    assert course["opened_by_teacher"]

    desk = teacher.server(course_id)
    desk.write("source/ps1/squares.ipynb", notebooks.assignment(points=5))
    desk.formgrader("POST", "assignment/ps1/assign")
    desk.formgrader("POST", "assignment/ps1/release")

    right, wrong, absent = WebUser(demo, "zoe"), WebUser(demo, "mila"), WebUser(demo, "niko")
    answers = {right: "def square(x):\n    return x * x", wrong: "def square(x):\n    return 9"}
    for student in (right, wrong, absent):
        arrived = student.launch("roots")
        assert arrived.url == f"{demo.hub}/user/{student.hub_name()}/lab"
    for student, answer in answers.items():
        student.enrolled(course_id)
        server = student.server()
        what = {"course_id": course_id, "assignment_id": "ps1"}
        listed = server.json("GET", f"/assignments?course_id={course_id}")["value"]
        assert [a["assignment_id"] for a in listed] == ["ps1"]
        server.json("POST", "/assignments/fetch", json=what)
        path = f"{course_id}/ps1/squares.ipynb"
        handed_out = server.read(path)
        assert "return x * x" not in str(handed_out), "the solution was handed out"
        assert "square(-2)" not in str(handed_out), "the hidden test was handed out"
        server.write(path, notebooks.solve(handed_out, answer))
        answered = server.json("POST", "/assignments/submit", json=what)
        assert answered["success"], answered

    desk.formgrader("POST", "assignment/ps1/collect")
    for student in answers:
        desk.formgrader("POST", f"submission/ps1/{student.hub_name()}/autograde")

    desk.formgrader("POST", "assignment/ps1/generate_feedback")
    desk.formgrader("POST", "assignment/ps1/release_feedback")
    for student, score in ((right, "5.0 / 5.0"), (wrong, "0.0 / 5.0")):
        server, what = student.server(), {"course_id": course_id, "assignment_id": "ps1"}
        [handed_in] = _handed_in(server, course_id)
        assert (handed_in["has_exchange_feedback"], handed_in["has_local_feedback"]) == (
            True,
            False,
        )
        server.json("POST", "/assignments/fetch_feedback", json=what)
        [handed_in] = _handed_in(server, course_id)
        assert handed_in["has_local_feedback"]
        assert not handed_in["feedback_updated"]
        folder = handed_in["local_feedback_path"]
        assert ":" not in folder
        page = server.json("GET", f"/api/contents/{quote(folder)}/squares.html?content=1")
        assert f"(Score: {score})" in page["content"]

    preview = teacher.kore("GET", f"/grades?course={course_id}").json()
    planned = {e["user"]: (e["action"], e["given"], e["maximum"]) for e in preview["entries"]}
    assert planned == {
        right.hub_name(): ("send", 5.0, 5.0),
        wrong.hub_name(): ("send", 0.0, 5.0),
        absent.hub_name(): ("held_back", None, None),
    }
    assert _gradebook(demo, "numerics", "roots") == {}

    sent = teacher.kore("POST", "/grades", json={"course": course_id})
    assert sent.status_code == 202, sent.text
    job = teacher.wait_for_end(sent.json()["id"])
    outcomes = {item["key"]: item["outcome"] for item in job["items"]}
    assert job["state"] == "done", job
    assert outcomes == {
        right.hub_name(): "sent",
        wrong.hub_name(): "sent",
        absent.hub_name(): "held_back",
    }
    shown = _gradebook(demo, "numerics", "roots")
    assert shown == {"zoe": pytest.approx(100), "mila": 0} or shown == {"zoe": 5, "mila": 0}

    again = teacher.wait_for_end(
        teacher.kore("POST", "/grades", json={"course": course_id}).json()["id"]
    )
    assert {item["outcome"] for item in again["items"]} == {"unchanged", "held_back"}

    for student, expected in ((right, 200), (absent, 200)):
        seen = student.kore("GET", f"/courses/{course_id}")
        assert seen.status_code == expected
        assert seen.json()["people"] == []
        assert student.kore("GET", f"/grades?course={course_id}").status_code == 403
        entered = student.browser.get(f"{demo.hub}/user/{course_id}/formgrader", timeout=30)
        assert entered.status_code in {403, 404}, entered.url
