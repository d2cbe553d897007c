"""JupyterLab's menus and command palette, as a person uses them."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TookTooLong

from tests.support.browser import shoot

_A_TRY = 5_000
_TRIES = 6


def choose_in_menu(page: Page, menu: str, *entries: str) -> None:
    """Open a menu of the menu bar and take an entry, through submenus where several are named.

    Entries are regular expressions for how the entry begins: its keys stand behind.
    """
    page.get_by_role("menubar").get_by_role("menuitem", name=menu, exact=True).click()
    for entry in entries:
        page.locator(".lm-Menu-item").filter(has_text=re.compile(f"^({entry})")).click()


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
