"""Three hundred students of one course in the panel, with the real demo."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, expect

from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.jupyterlab import PATIENCE
from tests.support.panel import Panel, serious
from tests.support.waiting import wait_until
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

STUDENTS = 300
AT_ONCE = 8


def make(demo: Demo, what: str, **fields: object) -> dict:
    """Make something in the LMS."""
    answer = requests.post(f"{demo.lms}/api/{what}", json=fields, timeout=30)
    assert answer.ok, answer.text
    return dict(answer.json())


def behave(demo: Demo, **values: object) -> None:
    """Have the LMS behave in some way."""
    answer = requests.put(f"{demo.lms}/api/behaviour", json=values, timeout=30)
    assert answer.ok, answer.text


def grade(demo: Demo, course: str, users: list[str]) -> None:
    """Put autograded work of everyone into the course's gradebook, with 0 to 10 points."""
    path = demo.state_dir / "homes" / course / "course" / "gradebook.db"
    with Gradebook(f"sqlite:///{path}", course) as book:
        book.update_or_create_assignment("ps1")
        book.update_or_create_notebook("p1", "ps1")
        book.update_or_create_grade_cell("cell", "p1", "ps1", max_score=10, cell_type="code")
        for number, user in enumerate(users):
            book.update_or_create_student(user)
            submission = book.update_or_create_submission("ps1", user)
            mark = submission.notebooks[0].grades[0]
            mark.auto_score, mark.needs_manual_grade = number % 11, False
        book.db.commit()


def _heads(teacher: WebUser, course: str) -> int:
    answer = teacher.kore("GET", f"/courses/{course}")
    return len(answer.json()["people"]) if answer.ok else 0


def test_three_hundred_are_sent_while_the_lms_is_busy(demo: Demo, chromium: Browser):
    """Two clicks, some refused and all told; what the LMS has in the end are the right points."""
    mark = secrets.token_hex(2)
    slugs = [f"m{mark}{number:03}" for number in range(STUDENTS)]
    subs = [f"{int(mark, 16)}{number:03}" for number in range(STUDENTS)]
    for number, (slug, sub) in enumerate(zip(slugs, subs, strict=True)):
        make(demo, "users", slug=slug, sub=sub, name=f"Student {number:03} {mark}")
    people = {"tilda": "teacher"} | dict.fromkeys(slugs, "student")
    make(demo, "courses", slug=f"many{mark}", title="Many & more", people=people)
    title = f"Lecture &amp; <b>lab</b> {mark}"
    behave(demo, profile="strict")
    try:
        activity = make(demo, "activities", course=f"many{mark}", title=title)["slug"]
        teacher = WebUser(demo, "tilda")
        teacher.launch(activity, before="/hub/spawn")
        course = teacher.kore("GET", "/courses/current").json()["course"]["id"]
        students = [WebUser(demo, slug) for slug in slugs]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            came = pool.map(lambda one: one.launch(activity, before="/hub/spawn"), students)
            assert all(page.is_redirect for page in came)
        wait_until(lambda: _heads(teacher, course) == STUDENTS + 1, "not everyone is in the course")
        users = [f"u{sub}" for sub in subs]
        grade(demo, course, users)
        refused = {users[7], users[150]}
        behave(
            demo,
            refuse_users=[user.removeprefix("u") for user in refused],
            fail_next=[{"kind": "429", "times": 5, "retry_after": 3}, {"kind": "503", "times": 3}],
        )
        with chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en") as context:
            page = context.new_page()
            page.goto(f"{demo.lms}/launch?user=tilda&activity={activity}")
            page.wait_for_url("**/hub/**", wait_until="commit")
            page.goto(f"{demo.kore}/page/courses/{course}/grades")
            panel = Panel(page, page.locator("#panel"), "page")
            expect(panel.heading).to_have_text(title)
            panel.button(f"Send {STUDENTS} grades").click()
            panel.dialog.get_by_role("button", name=f"Send {STUDENTS} grades").click()
            expect(panel.root.get_by_role("progressbar")).to_be_visible()
            panel.finished("Sending grades to the LMS")
            for number, row in enumerate((7, 150)):
                line = panel.root.get_by_role("row").nth(number + 1)
                expect(line).to_contain_text(f"Student {row:03} {mark}")
                expect(line).to_contain_text("Refused by the LMS")
            expect(panel.root.get_by_text(f"{STUDENTS} in total")).to_be_visible()
            panel.root.get_by_role("searchbox", name="Find a student").fill("student 299")
            expect(panel.root.get_by_role("rowheader")).to_have_text([f"Student 299 {mark}"])
            assert serious(page) == []
            shoot(page, "three hundred sent")
            behave(demo, refuse_users=[])
            panel.button("Resend 2 failed grades").click()
            expect(panel.row("Sent")).to_have_count(2, timeout=PATIENCE)
    finally:
        behave(demo, profile="moodle", refuse_users=[], fail_next=[])
    book = requests.get(f"{demo.lms}/api/gradebook?course=many{mark}", timeout=30).json()
    [column] = book["line_items"]
    points = {grade["user"]: grade["points"] for grade in column["grades"]}
    assert points == {slug: pytest.approx(number % 11 * 10) for number, slug in enumerate(slugs)}
