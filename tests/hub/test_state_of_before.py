"""The demo on a state directory that an earlier version wrote."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.demo import Demo, running_demo
from tests.support.waiting import wait_until
from tests.support.web_user import WebUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="root made the state, with accounts of its own"),
]
ARCHIVE = Path(__file__).parents[1] / "data" / "demo-state-0003.tar.xz"
# Courses are named after the issuer; the port is none that tests are given as a free one.
LMS_PORT = "19091"
COURSE, RESET_COURSE = "c-a373a8af25bb2710", "c-2539ee6547d27ef6"
ENDED = ("done", "failed", "cancelled")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start the demo on a copy of the state of before."""
    state = tmp_path_factory.mktemp("before") / "state"
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(state, numeric_owner=True, filter="fully_trusted")
    for parent in list(state.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    with running_demo(state, "--lms-port", LMS_PORT) as running:
        yield running


@pytest.fixture(scope="module")
def teacher(demo: Demo) -> WebUser:
    """Launch the course of before as its teacher."""
    tilda = WebUser(demo, "tilda")
    tilda.launch("activity-1001", before="/hub/spawn")
    tilda.enrolled(COURSE)
    return tilda


def get(person: WebUser, path: str) -> Any:
    answer = person.kore("GET", path)
    assert answer.ok, answer.text
    return answer.json()


def finished(person: WebUser, answer: Any) -> Any:
    assert answer.ok, answer.text
    path = f"/jobs/{answer.json()['id']}"
    wait_until(lambda: get(person, path)["state"] in ENDED, f"{path} does not end", seconds=120)
    return get(person, path)


def test_a_state_of_before_works_on(demo: Demo, teacher: WebUser):
    """Courses, reports, sent grades, submissions and backups of an earlier version go on."""
    check_that_the_course_is_found_again(teacher)
    check_that_stored_sentences_became_messages(teacher)
    check_that_sent_grades_are_known_as_sent(teacher)
    check_that_a_student_finds_their_work(demo)
    check_that_a_backup_of_before_is_restored(teacher)


def check_that_the_course_is_found_again(teacher: WebUser):
    """The same activity leads to the same course, with its assignment, people and points."""
    assert get(teacher, "/courses/current")["course"]["id"] == COURSE
    [assignment] = get(teacher, f"/courses/{COURSE}")["assignments"]
    assert (assignment["name"], assignment["state"]) == ("ps1", "graded")


def check_that_stored_sentences_became_messages(teacher: WebUser):
    """What was stored as English sentences is told by id, in each language."""
    found: dict[str, Any] = {}
    for course in (COURSE, RESET_COURSE):
        for job in get(teacher, f"/jobs?course={course}")["jobs"]:
            report = get(teacher, f"/jobs/{job['id']}")
            messages = [report["message"], *(item["message"] for item in report["items"])]
            found |= {m["code"]: m for m in messages if m is not None}
        entries = get(teacher, f"/courses/{course}/audit")["entries"]
        assert all(entry["message"] for entry in entries)
        found |= {entry["message"]["code"]: entry["message"] for entry in entries}
    assert len(found) > 8, found
    # The end of a notebook's log is nbgrader's own text.
    assert found["plain"]["text"] == "nbclient.exceptions.DeadKernelError: Kernel died"
    german = teacher.kore("GET", f"/courses/{COURSE}/audit", params={"page": 1}).json()
    teacher.browser.headers["Accept-Language"] = "de"
    assert get(teacher, f"/courses/{COURSE}/audit") != german
    del teacher.browser.headers["Accept-Language"]


def check_that_sent_grades_are_known_as_sent(teacher: WebUser):
    """Scores of before are unchanged: nothing is sent a second time."""
    preview = get(teacher, f"/grades?course={COURSE}")
    actions = {entry["user"]: entry["action"] for entry in preview["entries"]}
    assert actions == {"u201": "unchanged", "u202": "unchanged", "u203": "held_back"}
    job = finished(teacher, teacher.kore("POST", "/grades", json={"course": COURSE}))
    outcomes = sorted(item["outcome"] for item in job["items"])
    assert outcomes == ["held_back", "unchanged", "unchanged"]


def check_that_a_student_finds_their_work(demo: Demo):
    """A submission of before is listed for its student, and can be fetched."""
    zoe = WebUser(demo, "zoe")
    zoe.launch("activity-1001", before="/hub/spawn")
    zoe.enrolled(COURSE)
    [mine] = get(zoe, f"/exchange/{COURSE}/submissions")["submissions"]
    assert mine["assignment"] == "ps1"
    archive = zoe.kore("GET", f"/exchange/{COURSE}/submissions/{mine['id']}")
    assert archive.ok, archive.text
    assert b"squares.ipynb" in archive.content


def check_that_a_backup_of_before_is_restored(teacher: WebUser):
    """A backup that the earlier version took brings the course back."""
    title = get(teacher, f"/courses/{COURSE}")["title"]
    [backup] = get(teacher, f"/backups?course={COURSE}")["backups"]
    body = {"backup": backup["id"], "confirm": title}
    job = finished(teacher, teacher.kore("POST", f"/courses/{COURSE}/restore", json=body))
    assert job["state"] == "done", job
    [assignment] = get(teacher, f"/courses/{COURSE}")["assignments"]
    assert (assignment["state"], assignment["graded"]) == ("graded", 3)
