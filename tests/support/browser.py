"""A real Chromium for tests, and a look at what went wrong."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

SHOTS = Path(__file__).parents[1] / "shots"
"""Where screenshots go; not part of the repository."""

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# What is expected comes late on a busy machine; what never comes fails a test all the same.
expect.set_options(timeout=30_000)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start Debian's Chromium without a screen; end it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed; `make setup` installs it")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start one browser for the tests of a module.

    Not for longer: while it is open, an event loop runs, and no test can run one of its own.
    """
    with running_chromium() as browser:
        yield browser


def shoot(page: Page, name: str, *, whole: bool = False) -> Path:
    """Keep a screenshot under a name that says what is seen."""
    SHOTS.mkdir(exist_ok=True)
    path = SHOTS / f"{re.sub(r'[^a-z0-9-]+', '-', name.lower())}.png"
    page.screenshot(path=path, full_page=whole)
    return path
