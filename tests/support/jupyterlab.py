"""JupyterLab's menus and command palette, as a person uses them."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TookTooLong

from tests.support.browser import shoot

PATIENCE = 120_000
"""Milliseconds for what starts a server or runs notebooks."""
_A_TRY = 5_000
_TRIES = 6


def wait_until_ready(page: Page) -> None:
    """Wait until JupyterLab has its theme, has put its layout back, and shows its menus."""
    expect(page.locator("body[data-jp-theme-light]")).to_have_count(1, timeout=PATIENCE)
    menu = page.get_by_role("menuitem", name=re.compile("^(File|Datei)$"))
    expect(menu).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=PATIENCE)


def choose_in_menu(page: Page, menu: str, *entries: str) -> None:
    """Open a menu of the menu bar and take an entry, through submenus where several are named.

    Entries are regular expressions for how the entry begins: its keys stand behind. A menu
    closes by itself where an extension adds to it later: then once more.
    """
    bar = page.get_by_role("menubar").get_by_role("menuitem", name=menu, exact=True)
    for _ in range(_TRIES):
        bar.click()
        with suppress(TookTooLong):
            for entry in entries:
                found = page.locator(".lm-Menu-item:not(.lm-mod-hidden)").filter(
                    has_text=re.compile(f"^({entry})")
                )
                found.click(timeout=_A_TRY)
            return
        page.keyboard.press("Escape")
    raise AssertionError(f"the menu {menu} has no {entries}, or does not stay open")


def choose_in_palette(page: Page, palette: tuple[str, str], words: str, entry: str) -> None:
    """Open the palette by its place in the menus, search, and take an entry.

    It closes by itself where a tab takes the focus that it was to get: then once more.
    """
    for _ in range(_TRIES):
        page.keyboard.press("Escape")
        choose_in_menu(page, *palette)
        with suppress(TookTooLong):
            page.locator(".lm-CommandPalette-input").last.fill(words, timeout=_A_TRY)
            found = page.locator(".lm-CommandPalette-item", has_text=entry)
            found.wait_for(timeout=_A_TRY)
            shoot(page, f"palette with {words}")
            found.click(timeout=_A_TRY)
            return
    raise AssertionError("the palette does not stay open")
