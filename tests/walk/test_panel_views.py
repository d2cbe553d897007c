"""What a teacher does in the panel, in JupyterLab or on the page, with the real demo.

The panel is the same code in both places. What differs is looked at in both: how a course is
opened, and where links lead. Else each test is in the place where more could go wrong: in
JupyterLab what uses its files or ends its server, on the page what goes up and down as files.
"""

from __future__ import annotations

import csv
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Locator, expect

from tests.support import notebooks
from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.demo_course import ENDLESS, KILLS, RIGHT, WRONG, DemoCourse
from tests.support.jupyterlab import PATIENCE
from tests.support.panel import Panel, at_course, isolated

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

ZOE, MILA, NIKO = "Zoë Weißenfels-Ångström", "Милана Придуманова", "Νίκος Παραδειγματίδης"
MARKUP = "<img src=x onerror=\"document.title='owned'\"> </h1>{{ 7*7 }} Übung"


IN_LAB = pytest.mark.parametrize("host", ["lab"])
ON_PAGE = pytest.mark.parametrize("host", ["page"])


@pytest.fixture(scope="module", autouse=True)
def markup_in_titles(demo: Demo) -> Iterator[None]:
    """The LMS passes titles on as they are; as Moodle it would take the markup out."""
    behave(demo)
    yield
    behave(demo, profile="moodle")


@pytest.fixture(scope="module")
def other(demo: Demo) -> DemoCourse:
    """Another course of the teacher's, with markup in its title, to copy from."""
    # Its mark tells it from that of another run.
    course = DemoCourse(demo, f"{MARKUP} {secrets.token_hex(2)}")
    course.desk.write("source/warm-up/circles.ipynb", notebooks.assignment(points=3))
    return course


@pytest.fixture(scope="module")
def graded(demo: Demo) -> tuple[DemoCourse, dict[str, str]]:
    """A course in the term: two graded, one whose notebook ends its kernel."""
    course = DemoCourse(demo)
    course.release()
    users = course.submit({"zoe": RIGHT, "mila": WRONG, "niko": KILLS})
    job = course.wait_for_end(course.grade(students=[users["zoe"], users["mila"]]))
    assert job["state"] == "done", job
    return course, users


def behave(demo: Demo, **values: Any) -> None:
    """Have the LMS behave in some way; titles are passed on as they are."""
    answer = requests.put(
        f"{demo.lms}/api/behaviour", json={"profile": "strict", **values}, timeout=30
    )
    assert answer.ok, answer.text


def lab_may_end(panel: Panel) -> None:
    """Whenever JupyterLab says that its server was stopped, go on in the panel."""
    said = panel.page.locator(".jp-Dialog")

    def dismiss(dialog: Locator) -> None:
        # Under a dialog of the panel's it takes no clicks, which Playwright would wait for.
        dialog.get_by_role("button").last.dispatch_event("click")

    panel.page.add_locator_handler(said, dismiss)


def points_in_lms(course: DemoCourse) -> dict[str, float]:
    """What the LMS's gradebook has for this course's activity, by student."""
    answer = requests.get(f"{course.demo.lms}/api/gradebook?course=numerics", timeout=30).json()
    [column] = [c for c in answer["line_items"] if c["label"] == course.title]
    return {g["user"]: g["points"] for g in column["grades"]}


@pytest.mark.parametrize("host", ["lab", "page"])
def test_the_course_at_a_glance(chromium: Browser, host: str, graded):
    """Its title, whose it is, how its work stands, and the ways to formgrader and the LMS."""
    course, _ = graded
    with at_course(chromium, course, host) as panel:
        expect(panel.root.get_by_text("Taught by ")).to_contain_text("Tilda Lindenström")
        expect(panel.root.get_by_text("3 students").first).to_be_visible()
        row = panel.row("ps1")
        expect(row).to_contain_text("1 to grade")
        assert panel.serious() == []
        shoot(panel.page, f"course on the {host}")
        link = panel.root.get_by_role("link", name="Open the activity in the LMS")
        assert (link.get_attribute("href") or "").startswith(course.demo.lms)
        formgrader = panel.root.get_by_role("link", name="Open formgrader")
        if host == "lab":
            formgrader.click()
            frame = panel.page.frame_locator("iframe[src*='formgrader']")
            expect(frame.get_by_role("link", name="ps1", exact=True)).to_be_visible(
                timeout=PATIENCE
            )
        else:
            with panel.page.expect_popup() as popup:
                formgrader.click()
            name = popup.value.get_by_role("link", name="ps1", exact=True)
            expect(name).to_be_visible(timeout=PATIENCE)


@IN_LAB
def test_grades_are_looked_at_sent_and_sent_again(
    demo: Demo, chromium: Browser, host: str, graded, tmp_path: Path
):
    """The preview names who waits; one whom the LMS refuses is told, and sent again later."""
    course, users = graded
    behave(demo, refuse_users=[users["mila"].removeprefix("u")])
    try:
        with at_course(chromium, course, host, "Grades") as panel:
            expect(panel.row(NIKO)).to_contain_text(
                f"Collected, but not graded yet: “{isolated('ps1')}”."
            )
            expect(panel.root.get_by_text("1 student is held back")).to_be_visible()
            panel.root.get_by_role("searchbox", name="Find a student").fill("angstrom")
            expect(panel.root.get_by_role("rowheader")).to_have_text([ZOE])
            panel.root.get_by_role("searchbox", name="Find a student").fill("")
            shoot(panel.page, f"grades on the {host}")
            assert panel.serious() == []
            panel.button("Send 2 grades").click()
            expect(panel.dialog).to_contain_text("1 student is held back")
            panel.dialog.get_by_role("button", name="Send 2 grades").click()
            panel.finished("Sending grades to the LMS")
            expect(panel.row(ZOE)).to_contain_text("Sent")
            expect(panel.row(MILA)).to_contain_text("Refused by the LMS")
            expect(panel.row(NIKO)).to_contain_text("Held back")
            # What went wrong stands first.
            expect(panel.root.get_by_role("rowheader").first).to_have_text(MILA)
            shoot(panel.page, f"report of grades on the {host}")
            with panel.page.expect_download() as download:
                panel.button("Download as CSV").click()
            kept = tmp_path / "report.csv"
            download.value.save_as(kept)
            assert [line[0] for line in csv.reader(kept.open(encoding="utf-8-sig"))][1] == MILA
            behave(demo, refuse_users=[])
            panel.button("Resend 1 failed grade").click()
            expect(panel.row(MILA)).to_contain_text("Sent", timeout=PATIENCE)
            expect(panel.root.get_by_role("rowheader")).to_have_text([MILA])
    finally:
        behave(demo, refuse_users=[])
    assert points_in_lms(course) == {"zoe": 100, "mila": 0}


@ON_PAGE
def test_new_work_is_graded_and_what_failed_is_graded_again(chromium: Browser, host: str, graded):
    """A notebook that ends its kernel is reported with its log; corrected, it is graded."""
    course, _ = graded
    with at_course(chromium, course, host) as panel:
        panel.button(f"Grade {isolated('ps1')} automatically").click()
        expect(panel.dialog).to_contain_text("1 submission of")
        shoot(panel.page, f"autograding asks on the {host}")
        panel.dialog.get_by_role("button", name="Grade", exact=True).click()
        panel.finished("Grading automatically")
        expect(panel.row(NIKO)).to_contain_text("Failed")
        panel.button("Notebook output").click()
        expect(panel.dialog.get_by_role("region", name="Log")).to_contain_text("Autograding")
        assert panel.serious() == []
        shoot(panel.page, f"log of a notebook on the {host}")
        panel.dialog.get_by_role("button", name="Close").click()
        course.hand_in("niko", RIGHT)
        panel.way("Back to the course").click()
        expect(panel.row("ps1")).to_contain_text("1 to collect")
        panel.button(f"Grade {isolated('ps1')} automatically").click()
        expect(
            panel.dialog.get_by_role("checkbox", name="Collect 1 new submission first")
        ).to_be_checked()
        panel.dialog.get_by_role("button", name="Grade", exact=True).click()
        panel.finished("Grading automatically")
        expect(panel.row(NIKO)).to_contain_text("5 of 5")
        panel.way("Back to the course").click()
        expect(panel.row("ps1")).to_contain_text("Graded")
        expect(panel.row("ps1")).not_to_contain_text("to grade")
        expect(panel.row("ps1")).not_to_contain_text("to collect")


@ON_PAGE
def test_a_grading_that_breaks_off_says_how_far_it_came(chromium: Browser, host: str, graded):
    """The program that grades is killed half-way: who is done is done, and the rest goes on."""
    course, users = graded
    course.submit({"zoe": RIGHT, "niko": ENDLESS})
    with at_course(chromium, course, host) as panel:
        panel.button(f"Grade {isolated('ps1')} automatically").click()
        expect(panel.dialog).to_contain_text("2 submissions of")
        panel.dialog.get_by_role("button", name="Grade", exact=True).click()
        expect(panel.state).to_contain_text(f"Grading {isolated(NIKO)}", timeout=PATIENCE)
        victims = course.batches()
        assert victims
        for process in victims:
            process.kill()
        panel.finished("Grading automatically", "Failed")
        expect(panel.state).to_contain_text("did not finish grading")
        expect(panel.row(ZOE)).to_contain_text("5 of 5")
        expect(panel.row(NIKO)).to_contain_text("Failed")
        shoot(panel.page, f"grading that broke off on the {host}")
        course.correct(users["niko"])
        panel.button("Regrade 1 failed submission").click()
        expect(panel.row(NIKO)).to_contain_text("5 of 5", timeout=PATIENCE)


@IN_LAB
def test_an_assignment_and_a_problem_are_copied(
    chromium: Browser, host: str, graded, other: DemoCourse
):
    """Found by search, looked at, copied beside what is there; the work can be done on at once."""
    course, _ = graded
    mark = other.title.split()[-1]
    with at_course(chromium, course, host, "Copy and import") as panel:
        panel.root.get_by_label("From", exact=True).select_option("course")
        search = panel.root.get_by_role("searchbox", name="Find an assignment")
        search.fill(f"{mark} warm-up")
        expect(panel.root.get_by_role("rowheader")).to_have_text(["warm-up"])
        expect(panel.row("warm-up")).to_contain_text(other.title)
        assert panel.serious() == []
        shoot(panel.page, f"copy on the {host}")
        panel.row("warm-up").get_by_text("Copy …", exact=True).click()
        panel.dialog.get_by_role("button", name="Continue").click()
        expect(panel.dialog).to_contain_text("1 item to copy")
        panel.dialog.get_by_role("button", name="Copy", exact=True).click()
        panel.finished("Copying")
        expect(panel.row("warm-up")).to_contain_text("Copied")
        assert course.desk.read("source/warm-up/circles.ipynb")["cells"]

        panel.way("Back to the course").click()
        expect(panel.row("warm-up")).to_contain_text("Draft")
        panel.way("Copy and import").click()
        panel.root.get_by_label("What", exact=True).select_option("problems")
        panel.root.get_by_label("From", exact=True).select_option("course")
        panel.root.get_by_role("searchbox", name="Find a problem").fill(f"{mark} squares")
        expect(panel.root.get_by_role("rowheader")).to_have_text(["Squares", "Squares"])
        panel.row("ps1").get_by_role("button", name="Preview").click()
        expect(panel.dialog).to_contain_text("BEGIN HIDDEN TESTS")
        expect(panel.dialog).to_contain_text("5 points")
        shoot(panel.page, f"problem looked at on the {host}")
        panel.dialog.get_by_role("button", name="Copy …").click()
        panel.dialog.get_by_label("Assignment in this course").fill("ps1")
        panel.dialog.get_by_role("button", name="Continue").click()
        expect(panel.dialog).to_contain_text("1 name is already in use in this course")
        expect(panel.dialog.get_by_role("radio", name=re.compile("Keep both"))).to_be_checked()
        shoot(panel.page, f"copy asks on the {host}")
        panel.dialog.get_by_role("button", name="Copy", exact=True).click()
        panel.finished("Copying")
        assert course.desk.read("source/ps1/squares-2.ipynb")["cells"]
        assert panel.page.title() != "owned"


@ON_PAGE
def test_an_archive_is_uploaded_and_copied_from(
    chromium: Browser, host: str, graded, other: DemoCourse, tmp_path: Path
):
    """A backup of assignments, downloaded from one course, is a source in another."""
    course, _ = graded
    with at_course(chromium, other, host, "Backups") as panel:
        panel.button("Back up now …").click()
        panel.dialog.get_by_role("radio", name=re.compile("Assignments only")).check()
        panel.dialog.get_by_role("button", name="Back up", exact=True).click()
        panel.finished("Backing up the course")
        panel.way("Back to the course").click()
        panel.way("Backups").click()
        with panel.page.expect_download() as download:
            panel.root.get_by_role("link", name="Download").first.click()
        archive = tmp_path / "warm-up.tar"
        download.value.save_as(archive)
    with at_course(chromium, course, host, "Backups") as panel:
        with panel.page.expect_file_chooser() as chooser:
            panel.button("Upload a backup …").click()
        chooser.value.set_files(archive)
        expect(panel.row("Uploaded")).to_contain_text("Assignments only")
        with panel.page.expect_file_chooser() as chooser:
            panel.button("Upload a backup …").click()
        damaged = tmp_path / "damaged.tar"
        damaged.write_bytes(archive.read_bytes()[:-3000] + b"x" * 3000)
        chooser.value.set_files(damaged)
        expect(panel.root.get_by_role("alert")).to_be_visible()
        shoot(panel.page, f"backups on the {host}")
        panel.row("Uploaded").get_by_text("Copy from this …").click()
        panel.root.get_by_label("From", exact=True).select_option("backup")
        panel.root.get_by_role("searchbox", name="Find an assignment").fill("warm-up")
        # The list of before stays in sight until the new one is there.
        expect(panel.row("warm-up").first).to_contain_text("Backup")
        panel.row("warm-up").first.get_by_text("Copy …", exact=True).click()
        panel.dialog.get_by_role("button", name="Continue").click()
        panel.dialog.get_by_role("button", name="Copy", exact=True).click()
        panel.finished("Copying")
        expect(panel.row("warm-up").first).to_contain_text("Copied")


@ON_PAGE
def test_settings_are_in_force_for_the_next_assignment(chromium: Browser, host: str, graded):
    """What the form says stands in the students' version, and the file keeps the rest."""
    course, _ = graded
    with at_course(chromium, course, host, "Settings") as panel:
        stub = "# Hier steht Ihre Lösung\nraise NotImplementedError()"
        panel.root.get_by_label("Code stub for students (Python)").fill(stub)
        panel.root.get_by_label("Show hidden tests in the feedback").check()
        panel.button("Save").click()
        expect(panel.root.get_by_text("Saved.", exact=True)).to_be_visible()
        assert panel.serious() == []
        shoot(panel.page, f"settings on the {host}")
    course.desk.write("source/ps9/squares.ipynb", notebooks.assignment())
    course.desk.formgrader("POST", "assignment/ps9/assign")
    released = course.desk.read("release/ps9/squares.ipynb")
    assert "# Hier steht Ihre Lösung" in str(released)


@IN_LAB
def test_a_course_is_backed_up_reset_and_restored(chromium: Browser, host: str, graded):
    """The title is typed, what is lost is said, and the backup brings it all back."""
    course, _ = graded
    with at_course(chromium, course, host, "Backups") as panel:
        lab_may_end(panel)
        panel.button("Reset the course …").click()
        expect(panel.dialog).to_contain_text("3 collected submissions")
        expect(panel.dialog.get_by_role("checkbox", name=re.compile("Back up"))).to_be_checked()
        sure = panel.dialog.get_by_role("textbox")
        expect(panel.dialog.get_by_role("button", name="Reset the course")).to_be_disabled()
        sure.fill("Some other course")
        panel.dialog.get_by_role("button", name="Reset the course").click()
        expect(panel.dialog.get_by_role("alert")).to_be_visible()
        assert panel.serious() == []
        shoot(panel.page, f"reset asks on the {host}")
        sure.fill(course.whole_title)
        panel.dialog.get_by_role("button", name="Reset the course").click()
        panel.finished("Resetting the course")
        expect(panel.state).to_contain_text("The course was reset. Its assignments were kept.")
        shoot(panel.page, f"report of a reset on the {host}")
        panel.way("Back to the course").click()
        expect(panel.row("ps1")).to_contain_text("Draft")
        panel.way("Backups").click()
        made = panel.row("Created before a reset")
        expect(made).to_contain_text("Everything")
        made.get_by_role("button", name="Restore …").click()
        panel.dialog.get_by_role("textbox").fill(course.whole_title)
        panel.dialog.get_by_role("button", name="Restore", exact=True).click()
        panel.finished("Restoring from a backup")
        expect(panel.state).to_contain_text("The course was restored as of")
        panel.way("Back to the course").click()
        expect(panel.row("ps1")).to_contain_text("Graded")
        panel.way("History").click()
        for words in ("Restoring from a backup", "Resetting the course"):
            expect(panel.row(words).first).to_contain_text("Finished")
        shoot(panel.page, f"history on the {host}")
        panel.row("Restoring from a backup").first.get_by_role("button").first.click()
        panel.root.get_by_role("link", name="Start JupyterLab again").click()
        expect(panel.heading).to_have_text(course.title, timeout=PATIENCE)


@IN_LAB
def test_a_deleted_course_is_gone_and_its_report_stays(demo: Demo, chromium: Browser, host: str):
    """The report tells what was done; the list of courses has it no more."""
    course = DemoCourse(demo)
    with at_course(chromium, course, host, "Backups") as panel:
        lab_may_end(panel)
        panel.button("Delete the course …").click()
        panel.dialog.get_by_role("textbox").fill(course.whole_title)
        panel.dialog.get_by_role("button", name="Delete the course").click()
        panel.finished("Deleting the course")
        shoot(panel.page, f"report of a deletion on the {host}")
        panel.way("Your courses").click()
        expect(panel.heading).to_have_text("Your courses")
        panel.loaded()
        expect(panel.root.get_by_text(course.title)).to_have_count(0)


def test_a_student_finds_the_own_courses_and_nothing_else(demo: Demo, chromium: Browser, graded):
    """No view of a teacher's is shown, by whatever way they come."""
    course, _ = graded
    with at_course(chromium, course, "page", user="zoe") as panel:
        expect(panel.root.get_by_role("table")).to_have_count(0)
        expect(panel.way("Grades")).to_have_count(0)
        panel.page.goto(f"{demo.kore}/page/courses/{course.id}/backups")
        expect(panel.root.get_by_text("in the assignment list")).to_be_visible()
        expect(panel.button("Back up now …")).to_have_count(0)
        panel.way("Your courses").click()
        expect(panel.root.get_by_role("heading", name=course.title)).to_be_visible()
        assert panel.serious() == []
        shoot(panel.page, "courses of a student")
