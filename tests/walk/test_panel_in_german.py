"""The panel in a German JupyterLab, in Chromium, with the real demo."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import shoot
from tests.support.demo import Demo
from tests.support.demo_course import DemoCourse
from tests.support.english import left_over
from tests.support.jupyterlab import PATIENCE, choose_in_menu, choose_in_palette
from tests.support.panel import launched

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(900)]

_LANGUAGE = "/lab/api/settings/@jupyterlab/translation-extension:plugin"
_PALETTE = ("Anzeigen", "Befehlspalette")


@pytest.fixture
def course(demo: Demo) -> Iterator[DemoCourse]:
    """A course of its own: a language is kept for all who open its JupyterLab."""
    made = DemoCourse(demo, "Übungen zur Numerik")
    try:
        yield made
    finally:
        made.desk.request("PUT", _LANGUAGE, json={"raw": "{}"})


def test_a_teacher_chooses_german_and_all_of_the_panel_is(
    demo: Demo, chromium: Browser, course: DemoCourse
):
    """Menus of JupyterLab and Kore, the palette, every view, and what Kore itself says."""
    with launched(chromium, demo, "tilda", course.activity) as page:
        choose_in_menu(page, "Settings", "Language", "German|Deutsch")
        page.get_by_role("button", name="Change and reload").click()
        expect(page.get_by_role("menuitem", name="Datei", exact=True)).to_be_visible(
            timeout=PATIENCE
        )
        expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=PATIENCE)
        panel = page.locator("#kore-panel")

        choose_in_menu(page, "Kore", "Dieser Kurs")
        expect(panel.get_by_role("row", name="ps1")).to_contain_text("Entwurf")
        shoot(page, "panel in german")
        assert left_over(panel) == []

        choose_in_palette(page, _PALETTE, "Bewertungen send", "Bewertungen senden")
        expect(panel.get_by_text("Noch keine Studierenden")).to_be_visible()
        assert left_over(panel) == []

        choose_in_menu(page, "Kore", "Sicherungen")
        panel.get_by_role("button", name="Jetzt sichern …").click()
        panel.get_by_role("dialog").get_by_role("button", name="Sichern", exact=True).click()
        expect(panel.get_by_text("Fertig", exact=True)).to_be_visible(timeout=PATIENCE)
        assert left_over(panel) == []

        choose_in_menu(page, "Kore", "Verlauf")
        said = panel.get_by_role("table", name="Protokoll")
        expect(said).to_contain_text("Alles gesichert, auch die Arbeiten der Studierenden")
        expect(panel.get_by_text("Die Sicherung ist erstellt:").first).to_be_visible()
        shoot(page, "history in german")
        assert left_over(panel) == []

        page.get_by_role("tab", name="Kore: dieser Kurs").click()
        side = page.locator("#kore-side")
        expect(side.get_by_role("heading", level=1)).to_have_text(course.title)
        expect(side.get_by_text("ps1").first).to_be_visible()
        assert left_over(side) == []


def test_german_can_be_the_default(demo: Demo, chromium: Browser, course: DemoCourse):
    """A file in a folder of Jupyter's configuration says so; who chooses another gets that."""
    home = demo.state_dir / "homes" / course.id
    file = home / ".jupyter" / "labconfig" / "default_setting_overrides.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"@jupyterlab/translation-extension:plugin": {"locale": "de_DE"}}))
    for made in (file.parent.parent, file.parent):
        made.chmod(0o755)
    file.chmod(0o644)
    with launched(chromium, demo, "tilda", course.activity) as page:
        expect(page.get_by_role("menuitem", name="Datei", exact=True)).to_be_visible()
        expect(page.locator("#kore-panel").get_by_text("Bewertungen im LMS")).to_be_visible()
    course.desk.json("PUT", _LANGUAGE, json={"raw": json.dumps({"locale": "en"})})
    with launched(chromium, demo, "tilda", course.activity) as page:
        expect(page.get_by_role("menuitem", name="File", exact=True)).to_be_visible()
