"""Takes the documentation's pictures again, from a running demo in real Chromium.

Run as ``.venv/bin/python -m doc.shoot`` in the repository's first folder. It needs Chromium,
and makes the pictures small where pngquant is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import notebooks
from tests.support.demo import Demo, running_demo
from tests.support.web_user import WebUser

IMAGES = Path(__file__).parent / "src" / "images"
MAX_BYTES = 150_000
_SIZE = {"width": 1280, "height": 800}
_PATIENCE_MS = 90_000
_ANSWERS = {
    "zoe": "def square(x):\n    return x * x",
    "mila": "def square(x):\n    return 9",
    "wen": "def square(x):\n    return abs(x) ** 2",
}


def fill(demo: Demo) -> str:
    """Make a course with graded work of three students and two without; return its id."""
    teacher = WebUser(demo, "tilda")
    course = teacher.launch("roots").url.split("/user/")[1].split("/")[0]
    desk = teacher.server(course)
    desk.write("source/bisection/squares.ipynb", notebooks.assignment(points=10))
    desk.formgrader("POST", "assignment/bisection/assign")
    desk.formgrader("POST", "assignment/bisection/release")
    for name in (*_ANSWERS, "layla", "niko"):
        student = WebUser(demo, name)
        student.launch("roots")
        if name not in _ANSWERS:
            continue
        server, what = student.server(), {"course_id": course, "assignment_id": "bisection"}
        server.json("POST", "/assignments/fetch", json=what)
        path = f"{course}/bisection/squares.ipynb"
        server.write(path, notebooks.solve(server.read(path), _ANSWERS[name]))
        server.json("POST", "/assignments/submit", json=what)
    desk.formgrader("POST", "assignment/bisection/collect")
    for name in _ANSWERS:
        desk.formgrader("POST", f"submission/bisection/{WebUser(demo, name).hub_name()}/autograde")
    return course


def shoot(demo: Demo, browser: Browser, course: str) -> None:
    """Walk through the demo as a teacher and as a student, and take the pictures."""
    teacher = browser.new_context(viewport=_SIZE, color_scheme="light", locale="en").new_page()
    teacher.goto(f"{demo.lms}/?as=tilda")
    _keep(teacher, "lms")
    _launch(teacher, demo, "tilda", f"/user/{course}/lab")
    teacher.get_by_role("table", name="Assignments").wait_for()
    _keep(teacher, "lab-course")
    teacher.goto(f"{demo.kore}/page/courses/{course}")
    teacher.get_by_role("table", name="Assignments").wait_for()
    _keep(teacher, "kore-course", full_page=True)
    teacher.get_by_role("link", name="Grades", exact=True).click()
    teacher.get_by_role("table", name="All students").wait_for()
    _keep(teacher, "kore-grades")
    teacher.get_by_role("button", name=re.compile("^Send 3 grades")).click()
    dialog = teacher.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Send")).click()
    teacher.wait_for_url(re.compile("/page/jobs/"))
    teacher.get_by_text("Finished", exact=True).wait_for()
    _keep(teacher, "kore-job")
    teacher.goto(f"{demo.lms}/gradebook/numerics")
    _keep(teacher, "lms-gradebook")

    student = browser.new_context(viewport=_SIZE, color_scheme="light", locale="en").new_page()
    _launch(student, demo, "zoe", "/user/u[0-9]+/lab")
    student.get_by_role("button", name="Fetch Feedback").wait_for(timeout=_PATIENCE_MS)
    _keep(student, "lab-assignments")


def _launch(page: Page, demo: Demo, user: str, place: str) -> None:
    page.goto(f"{demo.lms}/launch?user={user}&activity=roots")
    page.wait_for_url(re.compile(place), timeout=_PATIENCE_MS)
    page.locator(".jp-DirListing-item").first.wait_for(timeout=_PATIENCE_MS)


def _keep(page: Page, name: str, **more: Any) -> None:
    page.wait_for_load_state("networkidle")
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", **more)
    if tool := shutil.which("pngquant"):
        command = [tool, "--force", "--skip-if-larger", "--strip", "--output", str(path), "64"]
        subprocess.run([*command, "--", str(path)], check=False)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{path} has {size} bytes; the limit is {MAX_BYTES}")


def main() -> None:
    """Start a demo, fill it, take the pictures, end it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "state") as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        shoot(demo, browser, fill(demo))
        browser.close()


if __name__ == "__main__":
    main()
