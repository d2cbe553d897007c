"""Many people at once, and Kore killed under them: one course, and nobody left out."""

from __future__ import annotations

import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
import requests

from tests.support.demo import Demo
from tests.support.waiting import wait_until
from tests.support.web_user import WebUser

# The hub alone, unless told otherwise, looks after its services every half a minute.
_BACK_SECONDS = 20

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]


def _make(demo: Demo, what: str, **fields) -> dict:
    answer = requests.post(f"{demo.lms}/api/{what}", json=fields, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def _activity(demo: Demo, course: str) -> str:
    title = f"Together {secrets.token_hex(3)}"
    return _make(demo, "activities", course=course, title=title)["slug"]


@pytest.fixture(scope="module")
def crowd(demo: Demo) -> tuple[str, list[str], list[str]]:
    """Make a course in the LMS with five teachers and fifteen students."""
    mark = secrets.token_hex(2)
    teachers = [f"t{mark}{n}" for n in range(5)]
    students = [f"s{mark}{n}" for n in range(15)]
    for number, slug in enumerate(teachers + students):
        _make(demo, "users", slug=slug, name=f"Person {number}", sub=str(9000 + number))
    people = dict.fromkeys(teachers, "teacher") | dict.fromkeys(students, "student")
    _make(demo, "courses", slug=f"crowd{mark}", title="A crowded course", people=people)
    return f"crowd{mark}", teachers, students


def _everyone(demo: Demo, activity: str, names: list[str]) -> list[WebUser]:
    people = [WebUser(demo, name) for name in names]
    with ThreadPoolExecutor(len(people)) as pool:
        landed = list(pool.map(lambda person: person.launch(activity, before="/hub/spawn"), people))
    assert all(page.is_redirect for page in landed), [page.url for page in landed]
    return people


def _complete(teacher: WebUser, course_id: str, heads: int) -> dict:
    def complete() -> dict | None:
        answer = teacher.kore("GET", f"/courses/{course_id}")
        course = answer.json() if answer.ok else {}
        whole = course.get("state") == "ready" and len(course["people"]) == heads
        return course if whole else None

    return wait_until(complete, "the course is not complete", seconds=90)


def _course_of(person: WebUser) -> dict:
    """Return the course of someone's launch, though Kore may be away or not have heard of it."""

    def asked() -> dict | None:
        with suppress(requests.RequestException):
            answer = person.kore("GET", "/courses/current")
            return answer.json()["course"] if answer.ok else None
        return None

    return wait_until(asked, f"{person.user} has no course", seconds=90)


def test_twenty_who_launch_at_once_share_one_course(demo: Demo, crowd):
    """Five teachers and fifteen students click the same new activity in the same moment."""
    lms_course, teachers, students = crowd
    people = _everyone(demo, _activity(demo, lms_course), teachers + students)
    courses = {_course_of(person)["id"] for person in people}
    assert len(courses) == 1
    course = _complete(people[0], courses.pop(), 20)
    roles = [person["role"] for person in course["people"]]
    assert (roles.count("instructor"), roles.count("learner")) == (5, 15)


def _kores(demo: Demo) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(demo.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            line = process.cmdline()
            if line[-2:] == ["-m", "kore"] and "ananke.demo.supervise" not in line:
                found.append(process)
    return found


def test_kore_killed_again_and_again_while_courses_begin(demo: Demo, crowd):
    """SIGKILL at random moments of a course's birth: every launch ends in a complete course."""
    lms_course, teachers, students = crowd
    for _ in range(4):
        stop = threading.Event()
        kills = []

        def kill(stop=stop, kills=kills) -> None:
            while not stop.wait(random.uniform(0.05, 1.5)) and len(kills) < 3:
                victims = _kores(demo)
                if victims:
                    with suppress(psutil.NoSuchProcess):
                        random.choice(victims).kill()
                        kills.append(time.monotonic())

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            activity = _activity(demo, lms_course)
            people = [WebUser(demo, teachers[0]), WebUser(demo, students[0])]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(_patiently, people, [activity] * 2))
        finally:
            stop.set()
            killer.join()
        course = _course_of(people[0])
        _complete(people[0], course["id"], 2)


def _patiently(person: WebUser, activity: str) -> None:
    """Launch as someone does who tries again when a page does not come up."""

    def launched() -> bool:
        try:
            return person.launch(activity, before="/hub/spawn").is_redirect
        except requests.RequestException:
            return False

    wait_until(launched, "no launch succeeded", seconds=120)


def test_kore_is_back_within_seconds_of_its_end(demo: Demo):
    """Kore killed whole: the hub starts it again before people give up on the page."""
    wait_until(lambda: _healthy(demo), "Kore is not up before the test", seconds=120)
    before = _kores(demo)
    assert before
    for process in before:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(before, timeout=30)
    gone = {process.pid for process in before}
    wait_until(
        lambda: {process.pid for process in _kores(demo)} - gone,
        lambda: f"Kore was not started again:\n{demo.log('kore')[-2000:]}",
        seconds=_BACK_SECONDS,
    )
    # How long a start takes is the machine's matter.
    wait_until(lambda: _healthy(demo), lambda: demo.log("kore")[-2000:], seconds=120)


def _healthy(demo: Demo) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{demo.kore}/health", timeout=5).ok
    return False
