"""Autograding an assignment's submissions as one job: reports, cancellation, kills."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psutil
import pytest
import requests

from tests.support.demo import Demo
from tests.support.demo_course import ENDLESS, KILLS, RIGHT, SLOW, WRONG, DemoCourse
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def course(demo: Demo) -> DemoCourse:
    """Return one course for all tests: each test submits again."""
    taught = DemoCourse(demo)
    taught.release()
    return taught


def test_new_work_is_graded_and_each_student_reported(course):
    """Right and wrong work get points; a dead kernel is reported with nbgrader's log."""
    users = course.submit({"zoe": RIGHT, "mila": WRONG, "niko": KILLS})
    job = course.wait_for_end(course.grade())
    assert (job["state"], job["done"], job["total"]) == ("done", 3, 3), job
    right, wrong, dead = (job["by"][users[slug]] for slug in ("zoe", "mila", "niko"))
    assert (right["outcome"], right["detail"]["score"], right["detail"]["maximum"]) == (
        *("graded", 5),
        5,
    )
    assert (wrong["outcome"], wrong["detail"]["score"]) == ("graded", 0)
    assert dead["outcome"] == "failed"
    assert "Kernel" in dead["message"]["text"]
    assert "Autograding" in dead["detail"]["log"]
    assert right["label"] != users["zoe"]
    assert job["message"]["text"] == "2 graded, 1 failed"
    submissions = course.desk.formgrader("GET", "submissions/ps1")
    scores = {s["student"]: s["score"] for s in submissions if s["autograded"]}
    assert scores == {users["zoe"]: 5, users["mila"]: 0}
    # What failed is new work still; what is graded is not.
    again = course.wait_for_end(course.grade())
    assert list(again["by"]) == [users["niko"]]
    course.submit({"niko": RIGHT})
    assert course.wait_for_end(course.grade())["by"][users["niko"]]["outcome"] == "graded"
    nothing = course.wait_for_end(course.grade())
    assert nothing["state"] == "done"
    assert nothing["message"]["code"] == "autograde.nothing_new"
    some = course.wait_for_end(course.grade(students=[users["zoe"], "u-nobody"]))
    assert {key: item["outcome"] for key, item in some["by"].items()} == {
        users["zoe"]: "graded",
        "u-nobody": "skipped",
    }


@pytest.mark.parametrize("ticket", ["0" * 64, "", None, "../x", 5])
def test_only_kore_can_start_grading(course, ticket):
    """A ticket that Kore did not issue is refused for everyone, and nothing is run."""
    url = f"{course.demo.hub}/user/{course.id}/kore/autograde"
    for ask in (requests.Session(), course.teacher.browser):
        answer = ask.post(url, json={"ticket": ticket, "assignment": "ps1"}, timeout=30)
        assert answer.status_code == 403, answer.text
    assert not course.batches()


def test_cancelled_job_leaves_nothing_half_graded(course):
    """After a cancellation the work that was being graded is still new work."""
    users = course.submit({"zoe": ENDLESS})
    job = course.grade()
    course.job(job, is_grading)
    course.teacher.kore("POST", f"/jobs/{job}/cancel")
    assert course.wait_for_end(job)["state"] == "cancelled"
    wait_until(lambda: not course.batches(), "the program that grades goes on")
    course.correct(users["zoe"])
    assert course.wait_for_end(course.grade())["by"][users["zoe"]]["outcome"] == "graded"


def test_job_continues_after_kore_was_killed(course):
    """After a kill of Kore during grading the job finishes, and everyone is graded once."""
    users = course.submit({"zoe": SLOW, "mila": RIGHT})
    job = course.grade()
    course.job(job, is_grading)
    victims = _kores(course.demo)
    assert victims
    for process in victims:
        # With the first its workers end.
        with suppress(psutil.NoSuchProcess):
            process.kill()
    found = course.wait_for_end(job)
    assert {key: item["outcome"] for key, item in found["by"].items()} == dict.fromkeys(
        users.values(), "graded"
    )


def test_lost_server_fails_the_job(course):
    """If the course's server stops during grading, the job says so, and can be repeated."""
    users = course.submit({"zoe": ENDLESS})
    job = course.grade()
    course.job(job, is_grading)
    for process in course.batches():
        process.kill()
    found = course.wait_for_end(job)
    assert found["state"] == "failed"
    assert found["message"]["code"] == "autograding_interrupted"
    assert found["by"][users["zoe"]]["outcome"] == "failed"
    course.correct(users["zoe"])
    again = course.wait_for_end(course.grade(students=[users["zoe"]]))
    assert again["by"][users["zoe"]]["outcome"] == "graded"


def test_unknown_assignment_is_refused(course):
    """A name that the gradebook does not have is answered with 404, and no job."""
    path = f"/courses/{course.id}/autograde"
    answer = course.teacher.kore("POST", path, json={"assignment": "../ps1"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "assignment_unknown.not_generated"


def is_grading(job: dict[str, Any]) -> bool:
    """Whether a job is grading a submission at the moment."""
    return bool(job["message"]) and job["message"]["code"] == "autograde.grading"


def _kores(demo: Demo) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["cmdline"] or [])[-2:] == ["-m", "kore"]
        and str(demo.state_dir) in (process.info["environ"] or {}).get("KORE_STATE_DIR", "")
    ]
