"""The panel in JupyterLab, in Chromium, with the real demo."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.demo_course import DemoCourse
from tests.support.jupyterlab import PATIENCE, choose_in_menu, choose_in_palette
from tests.support.panel import launched, serious

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

_PALETTE = ("View", "Activate Command Palette")


@pytest.fixture(scope="module")
def course(demo: Demo) -> DemoCourse:
    """A course with one assignment, and nobody in it but its teacher."""
    return DemoCourse(demo)


def panel(page: Page) -> Locator:
    """The panel in its tab."""
    return page.locator("#kore-panel")


def _is_saved(answer: Response) -> bool:
    """Say whether JupyterLab has kept its layout with the course's history in it."""
    request = answer.request
    kept = request.post_data if request.method == "PUT" else None
    return "/api/workspaces/" in answer.url and '\\"history\\"' in json.dumps(kept or "")


def test_a_teachers_launch_lands_on_the_course(demo: Demo, chromium: Browser, course: DemoCourse):
    """The tab is open on it; menu, palette and side bar lead to its views."""
    with launched(chromium, demo, "tilda", course.activity) as page:
        expect(panel(page).get_by_role("heading", level=1)).to_have_text(course.title)
        expect(panel(page).get_by_role("row", name="ps1")).to_be_visible()
        assert serious(page, "#kore-panel") == []
        shoot(page, "panel in jupyterlab")

        choose_in_menu(page, "Kore", "Backups")
        expect(panel(page).get_by_role("heading", name="Backups of this course")).to_be_visible()

        choose_in_palette(page, _PALETTE, "Send gra", "Send grades")
        expect(panel(page).get_by_text("No students yet")).to_be_visible()

        panel(page).get_by_role("button", name="Your courses").click()
        expect(panel(page).get_by_role("button", name=course.title)).to_be_visible()

        page.get_by_role("tab", name="Kore: this course").click()
        side = page.locator("#kore-side")
        expect(side.get_by_role("heading", level=1)).to_have_text(course.title)
        assert serious(page, "#kore-side") == []
        with page.expect_response(_is_saved, timeout=PATIENCE):
            side.get_by_role("button", name="History").click()
        expect(panel(page).get_by_role("heading", name="Activity log")).to_be_visible()
        shoot(page, "panel in the side bar")

        # Loaded again, JupyterLab shows what was open.
        page.reload()
        expect(panel(page).get_by_role("heading", name="Activity log")).to_be_visible(
            timeout=PATIENCE
        )


def test_a_job_goes_on_over_a_lost_connection_and_an_ended_session(
    demo: Demo, chromium: Browser, course: DemoCourse
):
    """The panel tells, signs in again by itself, and shows the end of what it began."""
    with launched(chromium, demo, "tilda", course.activity) as page:
        here = panel(page)
        here.get_by_role("button", name="Backups").click()
        here.get_by_role("button", name="Back up now …").click()
        dialog = here.get_by_role("dialog")
        page.context.set_offline(True)
        dialog.get_by_role("button", name="Back up", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("Kore cannot be reached.")
        page.context.set_offline(False)
        # Kore's own session is gone, the hub's is not.
        page.context.clear_cookies(name="kore-session")
        dialog.get_by_role("button", name="Try again").click()
        expect(here.get_by_text("Finished", exact=True)).to_be_visible(timeout=PATIENCE)
        shoot(page, "panel after a backup")


def test_the_panel_is_dark_where_jupyterlab_is(demo: Demo, chromium: Browser, course: DemoCourse):
    """Its colours follow the theme, and can be read in it."""
    themes = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    dark = {"raw": json.dumps({"theme": "JupyterLab Dark"})}
    assert course.desk.request("PUT", themes, json=dark).ok
    try:
        with launched(chromium, demo, "tilda", course.activity) as page:
            body = page.locator("body")
            expect(body).to_have_attribute("data-jp-theme-light", "false", timeout=PATIENCE)
            expect(panel(page).get_by_role("heading", level=1)).to_be_visible()
            assert serious(page, "#kore-panel") == []
            shoot(page, "panel in the dark")
    finally:
        course.desk.request("PUT", themes, json={"raw": "{}"})


def test_a_students_launch_lands_on_the_assignments(
    demo: Demo, chromium: Browser, course: DemoCourse
):
    """The side bar has their courses, and nothing of a teacher's."""
    with launched(chromium, demo, "zoe", course.activity) as page:
        expect(page.get_by_text("Released assignments")).to_be_visible()
        page.get_by_role("tab", name="Kore: your courses").click()
        side = page.locator("#kore-side")
        expect(side.get_by_role("heading", name=course.title)).to_be_visible()
        expect(side.get_by_text("in the assignment list")).to_be_visible()
        expect(side.get_by_role("button", name=course.title)).to_have_count(0)
        expect(side.get_by_role("table")).to_have_count(0)
        assert serious(page, "#kore-side") == []
        shoot(page, "panel of a student")
