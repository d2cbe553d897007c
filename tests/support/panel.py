"""Kore's panel in both of its places, in Chromium, by what a person sees and clicks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support import jupyterlab
from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.demo_course import DemoCourse
from tests.support.jupyterlab import PATIENCE

QUICK = 30_000


def isolated(text: str) -> str:
    """Return text of others as the panel's sentences have it: in its own direction."""
    return f"\u2068{text}\u2069"


@contextmanager
def launched(
    browser: Browser, demo: Demo, user: str, activity: str, **options: Any
) -> Iterator[Page]:
    """A browser in which someone has clicked the activity, and JupyterLab is there."""
    options = {"viewport": {"width": 1280, "height": 900}, "locale": "en", **options}
    with browser.new_context(**options) as context:
        context.set_default_timeout(QUICK)
        page = context.new_page()
        page.goto(f"{demo.lms}/launch?user={user}&activity={activity}", wait_until="commit")
        jupyterlab.wait_until_ready(page)
        try:
            yield page
        except BaseException:
            shoot(page, f"at the failure of {os.environ.get('PYTEST_CURRENT_TEST', 'a test')}")
            raise


@dataclass
class Panel:
    """The panel on someone's screen: its page, and the part of it that is the panel."""

    page: Page
    root: Locator
    host: str

    def way(self, name: str, *, exact: bool = True) -> Locator:
        """What leads to a place: a button in JupyterLab, a link on the page."""
        kind = "button" if self.host == "lab" else "link"
        return self.root.get_by_role(kind, name=name, exact=exact)

    def button(self, name: str, *, exact: bool = True) -> Locator:
        """A button of the panel."""
        return self.root.get_by_role("button", name=name, exact=exact)

    def row(self, name: str) -> Locator:
        """The line of a table that has this in it."""
        return self.root.get_by_role("row").filter(has_text=name)

    @property
    def dialog(self) -> Locator:
        """The dialog that is open."""
        return self.root.get_by_role("dialog")

    @property
    def heading(self) -> Locator:
        """What the view is about."""
        return self.root.get_by_role("heading", level=1)

    @property
    def state(self) -> Locator:
        """What a job's report says of the job as a whole."""
        return self.root.get_by_role("region", name="State")

    def finished(self, kind: str, state: str = "Finished") -> None:
        """Wait until the report that is shown is of a job that ended so."""
        expect(self.heading).to_contain_text(kind)
        expect(self.state.get_by_text(state, exact=True)).to_be_visible(timeout=PATIENCE)

    def loaded(self) -> None:
        """Wait until nothing is being loaded any more."""
        expect(self.root.get_by_role("status", name="Loading")).to_have_count(0)

    def serious(self) -> list[str]:
        """What axe finds serious or worse in the panel."""
        return serious(self.page)


def serious(page: Page, part: str = ".kore") -> list[str]:
    """What axe finds serious or worse in a part of the page that is ours."""
    found = Axe().run(page, context=part).response["violations"]
    return [f"{v['id']}: {v['nodes']}" for v in found if v["impact"] in {"serious", "critical"}]


@contextmanager
def at_course(
    browser: Browser,
    course: DemoCourse,
    host: str,
    tab: str = "Overview",
    *,
    user: str = "tilda",
    **options: Any,
) -> Iterator[Panel]:
    """Someone's browser with a course's view in JupyterLab ("lab") or on the "page"."""
    with launched(browser, course.demo, user, course.activity, **options) as page:
        if host == "page":
            page.goto(f"{course.demo.kore}/page/courses/{course.id}")
        panel = Panel(page, page.locator("#kore-panel" if host == "lab" else "#panel"), host)
        expect(panel.heading).to_have_text(course.title)
        if tab != "Overview":
            panel.way(tab).click()
        yield panel
