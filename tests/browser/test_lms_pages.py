"""The embedded LMS in a browser: who to be, what to open, the gradebook, for every pair of eyes."""

from __future__ import annotations

import jwt
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.browser import chromium
from tests.support.embedded_lms import running_lms

__all__ = ["chromium"]

pytestmark = pytest.mark.slow

HOSTILE = '"Q" {x}/ <script>alert(1)</script> 😀 \u202eRTL\u202c\nnew ' + "y" * 190


@pytest.fixture
def lms(tmp_path):
    """An LMS with some grades and a course of the worst titles."""
    with running_lms(tmp_path) as running:
        for user, points, comment in (("zoe", 87.5, "Well argued"), ("layla", 64, "أحسنت")):
            grade = {"activity": "roots", "user": user, "points": points, "comment": comment}
            running.api("PUT", "grades", grade)
        people = {"tilda": "teacher", "zoe": "student"}
        running.api("POST", "courses", {"slug": "odd", "title": HOSTILE, "people": people})
        running.api("POST", "activities", {"course": "odd", "title": HOSTILE})
        yield running


@pytest.fixture
def page(chromium):
    """A page that fails the test on script errors."""
    context = chromium.new_context()
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    yield page
    context.close()
    assert not errors


def subject_of(launch):
    """The `sub` of a launch that arrived at the tool."""
    return jwt.decode(launch["id_token"], options={"verify_signature": False})["sub"]


def test_a_person_is_chosen_and_an_activity_opened(lms, page):
    """Choose a student, open an activity, be inside the tool as that student."""
    page.goto(lms.url)
    page.get_by_role("link", name="Милана Придуманова").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Courses of Милана Придуманова")
    page.get_by_role("link", name="Open Linear systems", exact=True).click()
    expect(page.get_by_role("heading", name="Inside the tool")).to_be_visible()
    assert [subject_of(launch) for launch in lms.tool.launches] == ["202"]
    page.goto(lms.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Courses of Милана Придуманова")


def test_an_activity_opens_in_a_new_tab(lms, page):
    """The LMS stays where it is, the tool appears in another tab."""
    page.goto(f"{lms.url}/?as=tilda")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="New tab : open Counting words").click()
    expect(opened.value.get_by_role("heading", name="Inside the tool")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Courses of Tilda Lindenström")


def test_the_keyboard_is_enough(lms, page):
    """From the top of the page with Tab and Enter into the tool."""
    page.goto(lms.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    _tab_to(page, "Marek Vymyšlený")
    expect(page.get_by_role("heading", level=1)).to_have_text("Courses of Marek Vymyšlený")
    _tab_to(page, "Open")
    expect(page.get_by_role("heading", name="Inside the tool")).to_be_visible()
    assert [subject_of(launch) for launch in lms.tool.launches] == ["102"]


def _tab_to(page, text):
    """Press Tab until what has the focus holds `text`, then Enter."""
    # When a page is loaded, the address's fragment says again where Tab begins.
    page.wait_for_load_state("load")
    for _ in range(40):
        page.keyboard.press("Tab")
        if text in page.evaluate("document.activeElement.innerText"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not lead to {text!r}")


def test_going_back_after_a_launch_ends_on_a_page_in_words(lms, page):
    """Back to the LMS's answer repeats a used hint: its own error page, with a way out."""
    page.goto(f"{lms.url}/?as=tilda")
    with page.expect_response(lambda answer: "/lti/auth" in answer.url) as seen:
        page.get_by_role("link", name="Open Counting words", exact=True).click()
    expect(page.get_by_role("heading", name="Inside the tool")).to_be_visible()
    answer = page.goto(seen.value.url)
    assert answer.status == 404
    page.get_by_role("link", name="Back to the courses").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Courses of")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_pages_are_accessible_and_fit(lms, chromium, scheme, width):
    """No finding of axe and no sideways scrolling, in both colour schemes and widths."""
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    paths = ("/", "/?as=thu", "/gradebook/numerics", "/gradebook/odd", "/launch?user=marek")
    for path in paths:
        page.goto(lms.url + path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, path
    context.close()
