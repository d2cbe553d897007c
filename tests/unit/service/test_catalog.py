"""Messages are rendered from the catalogs, here as in the panel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from kore.service import catalog
from kore.shared.messages import Message, message

SHARED = json.loads(Path(__file__).with_name("messages.json").read_text(encoding="utf-8"))
"""Catalogs and cases that the panel's tests read, too: kore/ui/test/messages.test.ts."""


def _forget() -> None:
    catalog.languages.cache_clear()
    catalog.read_catalog.cache_clear()


@pytest.fixture
def shared_catalogs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Render from the catalogs that the cases are written for."""
    for language, texts in SHARED["catalogs"].items():
        written = Catalog(locale=language)
        for key, text in texts.items():
            plural = isinstance(text, list)
            written.add((key, key) if plural else key, tuple(text) if plural else text)
        with (tmp_path / f"{language}.po").open("wb") as file:
            write_po(file, written)
    monkeypatch.setattr(catalog, "LOCALE", tmp_path)
    _forget()
    yield
    _forget()


def _plain(text: str) -> str:
    """Return a text with spaces of one kind, and without the zone that the panel leaves out."""
    return re.sub(r"\s", " ", text).removesuffix(" UTC")


@pytest.mark.usefixtures("shared_catalogs")
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["id"])
def test_messages_are_rendered_as_in_the_panel(case: dict[str, Any], language: str):
    """Numbers, sizes, moments, names, plurals and messages in messages read as in the panel."""
    found = Message.from_data({"id": case["id"], "params": case["params"]})
    with catalog.speaking(language):
        assert _plain(catalog.render(found)) == case[language].replace("\u00a0", " ")
        assert catalog.render_hint(found) == case.get("hint", {}).get(language, "")


def test_a_message_that_no_catalog_has_is_its_id():
    """A message of a newer version shows at least what it is about."""
    assert catalog.render(message("no.such.message")) == "no.such.message"
