"""Signing in from an LMS on another site, in a browser that keeps to SameSite."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.browser import chromium
from tests.support.fake_lms import FakeLms
from tests.support.login_hub import KORE_TOKEN, LoginHub, Ports
from tests.support.whoami_server import KoreStandIn

__all__ = ["chromium"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lms():
    """An LMS under another name than the hub's: a browser takes it for another site."""
    platform = FakeLms("localhost")
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def hub(lms, tmp_path_factory):
    """A hub at 127.0.0.1, over http."""
    ports = Ports()
    kore = KoreStandIn(ports.kore, ports.api, KORE_TOKEN)
    process = LoginHub(tmp_path_factory.mktemp("hub"), lms.url, ports)
    lms.tool = process.url
    yield process
    process.close()
    kore.stop()


@pytest.fixture
def context(chromium):
    """A browser without cookies."""
    made = chromium.new_context()
    yield made
    made.close()


def launch(context, lms, sub):
    """Launch in a new tab, until one's own server shows."""
    page = context.new_page()
    page.goto(f"{lms.url}/launch?sub={sub}")
    page.wait_for_url(f"**/user/u{sub}/lab", timeout=60_000)
    return page


def test_one_after_the_other_in_one_browser(hub, lms, context):
    """The second person comes in from another site, and the first one is gone everywhere."""
    first = launch(context, lms, "61")
    first.goto(f"{hub.url}/services/kore/whoami")
    expect(first.locator("body")).to_contain_text("u61")

    second = launch(context, lms, "62")

    second.goto(f"{hub.url}/services/kore/whoami")
    expect(second.locator("body")).to_contain_text("u62")
    first.goto(f"{hub.url}/user/u61/lab")
    expect(first.locator("body")).not_to_contain_text('"user"')


def test_tabs_at_once(hub, lms, context):
    """Three launches begun in one browser before the first one ends: the hub knows each.

    Their ways on into the server are JupyterHub's, which keeps one state for all tabs.
    """
    pages = [context.new_page() for _ in range(3)]
    lms.delay = 0.5
    try:
        for page in pages:
            page.goto(f"{lms.url}/launch?sub=63", wait_until="commit")
        for page in pages:
            page.wait_for_url(re.compile(r"/(user|hub/spawn-pending)/u63"), timeout=60_000)
    finally:
        lms.delay = 0.0
    # Those three may be going on by themselves still, each with a state of its own.
    for page in pages:
        page.close()
    page = context.new_page()
    page.goto(f"{hub.url}/hub/user-redirect/lab")
    page.wait_for_url("**/user/u63/lab", timeout=60_000)


def test_going_back_ends_on_a_page_with_words(hub, lms, context):
    """Anyone who posts the same answer again reads what to do, not an error of the hub."""
    page = context.new_page()
    answers = []
    page.on(
        "request",
        lambda r: answers.append(r.post_data) if r.url.endswith("oauth_callback") else None,
    )
    page.goto(f"{lms.url}/launch?sub=64")
    page.wait_for_url("**/user/u64/lab", timeout=60_000)
    page.goto(f"{lms.url}/launch?sub=64")
    page.wait_for_url("**/user/u64/lab", timeout=60_000)
    page.evaluate(
        """([url, body]) => {
            const form = document.createElement("form");
            form.method = "post"; form.action = url;
            for (const [name, value] of new URLSearchParams(body)) {
                const input = document.createElement("input");
                input.name = name; input.value = value; form.append(input);
            }
            document.body.append(form); form.submit();
        }""",
        [f"{hub.url}/hub/lti13/oauth_callback", answers[0]],
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("This sign-in has already been used")
    expect(page.get_by_role("link", name="Back to the LMS")).to_be_visible()
