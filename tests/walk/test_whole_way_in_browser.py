"""From the LMS to a grade and back in Chromium, by what a person sees and clicks."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.support import jupyterlab, notebooks
from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.jupyterlab import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

QUICK = 30_000


class Someone:
    """A person with a browser of their own."""

    def __init__(self, browser: Browser, demo: Demo, name: str) -> None:
        self.demo = demo
        self.name = name
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(QUICK)
        self.page: Page = context.new_page()

    def open_activity(self, title: str) -> None:
        """Choose who to be on the LMS's page, and click the activity."""
        self.page.goto(self.demo.lms)
        self.page.get_by_role("link", name=self.name).click()
        self.page.get_by_role("link", name=f"Open {title}", exact=True).click()
        expect(self.page).to_have_title(re.compile("JupyterLab"), timeout=PATIENCE)
        jupyterlab.wait_until_ready(self.page)

    def formgrader(self) -> FrameLocator:
        """Return formgrader as JupyterLab shows it."""
        return self.page.frame_locator("iframe[src*='formgrader']")

    def grading_step(self, assignment: str, step: str) -> None:
        """Click one of formgrader's icons in an assignment's row, and its success away."""
        desk = self.formgrader()
        row = desk.get_by_role("row").filter(
            has=desk.get_by_role("link", name=assignment, exact=True)
        )
        row.locator(f"td.{step} a").click()
        expect(desk.get_by_text("Success", exact=False).first).to_be_visible(timeout=PATIENCE)
        desk.get_by_role("button", name="OK").click()


def test_a_teacher_and_a_student_in_chromium(demo: Demo, chromium: Browser, tmp_path: Path):
    """Teacher and student click from the LMS to the points in the LMS's gradebook."""
    activity = f"Splines {secrets.token_hex(2)}"
    answer = requests.post(
        f"{demo.lms}/api/activities", json={"course": "numerics", "title": activity}, timeout=30
    )
    assert answer.ok, answer.text
    teacher = Someone(chromium, demo, "Tilda Lindenström")
    teacher.open_activity(activity)
    assert re.search(r"/user/c-[0-9a-f]{16}/lab", teacher.page.url)
    # The launch lands on the course in the panel.
    expect(teacher.page.get_by_role("heading", level=1, name=activity)).to_be_visible()
    shoot(teacher.page, "teacher in the new course")

    # The teacher names an assignment and puts a notebook into it.
    jupyterlab.choose_in_menu(teacher.page, "Nbgrader", "Formgrader")
    desk = teacher.formgrader()
    desk.get_by_role("link", name="Add new assignment").click()
    desk.get_by_role("textbox").first.fill("ps1")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("link", name="ps1", exact=True)).to_be_visible()
    shoot(teacher.page, "formgrader with an assignment")

    source = tmp_path / "squares.ipynb"
    source.write_text(json.dumps(notebooks.assignment(points=5)))
    for folder in ("source", "ps1"):
        teacher.page.get_by_role("region", name="File Browser Section").get_by_text(
            folder, exact=True
        ).dblclick()
    with teacher.page.expect_file_chooser() as chooser:
        teacher.page.get_by_role("button", name="Upload Files").click()
    chooser.value.set_files(source)
    expect(teacher.page.get_by_role("button", name="squares.ipynb")).to_be_visible()
    teacher.page.get_by_role("tab", name="Formgrader").click()
    for step in ("assign", "release"):
        teacher.grading_step("ps1", step)

    student = Someone(chromium, demo, "Zoë Weißenfels-Ångström")
    student.open_activity(activity)
    assert "/user/u201/lab" in student.page.url
    page = student.page
    # The launch lands on the list of assignments.
    expect(page.get_by_text("Released assignments")).to_be_visible(timeout=PATIENCE)
    [course] = re.findall(r"c-[0-9a-f]{16}", teacher.page.url)
    page.locator("#course_list_dropdown").click()
    page.get_by_role("link", name=course, exact=True).click()
    expect(page.locator("#course_list_default")).to_have_text(course)
    page.get_by_role("button", name="Fetch", exact=True).click()
    page.get_by_role("button", name="ps1").click()
    page.get_by_role("link", name="squares", exact=True).click()
    page.get_by_text("raise NotImplementedError()").click()
    cell = page.locator(".jp-Cell.jp-mod-active .cm-content")
    expect(cell).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("square = lambda x: x * x")
    expect(cell).to_have_text("square = lambda x: x * x")
    page.get_by_role("button", name="Save and create checkpoint").click()
    expect(page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)
    shoot(page, "student with the assignment solved")
    page.get_by_role("tab", name="Assignments").click()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("There are no submitted assignments.")).to_be_hidden(timeout=QUICK)
    shoot(page, "student after submitting")

    # Back at the teacher's desk: collect, grade, send.
    teacher.grading_step("ps1", "collect")
    desk.get_by_role("row").filter(has=desk.get_by_role("link", name="ps1", exact=True)).locator(
        "td.num-submissions a"
    ).click()
    desk.locator("td.autograde a").click()
    expect(desk.get_by_text("Success", exact=False).first).to_be_visible(timeout=PATIENCE)
    desk.get_by_role("button", name="OK").click()
    shoot(teacher.page, "formgrader after autograding")

    with teacher.page.expect_popup() as popup:
        jupyterlab.choose_in_menu(teacher.page, "File", "Hub Control Panel")
    panel = popup.value
    panel.get_by_role("button", name="Services").click()
    panel.get_by_role("link", name="kore").click()
    shoot(panel, "kore courses", whole=True)
    panel.get_by_role("link", name=activity).click()
    shoot(panel, "kore course", whole=True)
    panel.get_by_role("link", name="Grades", exact=True).click()
    shoot(panel, "kore course before sending", whole=True)
    panel.get_by_role("button", name="Send 1 grade").first.click()
    shoot(panel, "kore asks before sending")
    panel.get_by_role("dialog").get_by_role("button", name="Send 1 grade").click()
    state = panel.get_by_role("region", name="State")
    expect(state.get_by_text("Finished", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(panel.get_by_role("row").filter(has_text=student.name)).to_contain_text("Sent")
    shoot(panel, "kore report", whole=True)

    teacher.page.goto(demo.lms)
    teacher.page.get_by_role("link", name="Gradebook of Numerical Methods").click()
    shoot(teacher.page, "gradebook of the lms", whole=True)
    row = teacher.page.get_by_role("row").filter(has_text=student.name)
    expect(row).to_be_visible()
    teacher.page.wait_for_load_state()
    column = teacher.page.get_by_role("columnheader").all_inner_texts()
    shown = [cell.inner_text() for cell in row.get_by_role("cell").all()]
    place = next(n for n, title in enumerate(column) if activity in title)
    offset = len(column) - len(shown)
    assert re.match(r"100|5\b", shown[place - offset]), (column, shown)
