"""Every sentence of Kore's that comes to the panel is in every language's catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import sentences
from tests.support.sentences import CATALOGS, NOT_IN_THE_PANEL, ROOT, in_source, uncovered, unsaid

each_catalog = pytest.mark.parametrize("catalog", CATALOGS, ids=lambda path: path.name)


@each_catalog
def test_a_catalog_lacks_no_sentence(catalog: Path):
    """Whoever adds one is told its file and line; a hole's name says what stands in it."""
    lacking = [f"{one.place}: {one.text!r} {one.kinds}" for one in uncovered(catalog)]
    assert lacking == [], "python -m tests.support.sentences writes entries to fill in"


@each_catalog
def test_a_catalog_has_no_sentence_that_nobody_says(catalog: Path):
    """What Kore says no more goes from the catalogs, too."""
    assert unsaid(catalog) == []


def test_there_is_a_catalog():
    """Else the tests above would pass for none."""
    assert [path.name for path in CATALOGS] == ["kore.de.po"]


def test_what_is_left_out_is_there():
    """A module that was moved is looked at again."""
    assert [name for name in NOT_IN_THE_PANEL if not (ROOT / "kore" / name).exists()] == []


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('"""A docstring is none."""', []),
        ('def f():\n    """A docstring is none."""', []),
        ('log.warning("A log is none: %s", it)', []),
        ('x = "word"', []),
        ('x = "some words"', ["some words"]),
        ('raise KoreError(404, "gone", "Gone.", "Look")', ["Gone.", "Look"]),
        ('ctx.progress(0, 1, "Enrolling")', ["Enrolling"]),
        ('ctx.item(key, "Backup", "done")', ["Backup"]),
        ('note(session, words="Restored")', ["Restored"]),
        ('x = f"{name} is {why}."', ["\0 is \0."]),
        ('x = "{n} sent".format(n=1)', ["\0 sent"]),
        ('x = "All sent" + (f", for {n}" if n else "")', ["All sent, for \0", "All sent"]),
        ('x = f"Copy {it} " + f("to that one")', ["to that one", "Copy \0 \0"]),
        ('x = {"kind": "It is a link"}', ["It is a link"]),
        ('x = a or "all of them"', ["all of them"]),
        ('raise ValueError("for no one to read")', []),
    ],
)
def test_sentences_are_found_in_sources(source: str, texts: list[str]):
    """In whatever expression they stand, with all that they can be."""
    assert [one.text for one in in_source(source, "kore/x.py")] == texts


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("{in_words(size)}", "size"),
        ("{when:%Y-%m-%d}", "moment"),
        ("{len(all)}", "number"),
        ("{points:g}", "number"),
        ("{error.message}", "words"),
        ("{why}", "words"),
        ("{name}", ""),
    ],
)
def test_the_kind_of_a_hole_is_seen_where_it_can_be(expression: str, kind: str):
    """A size, a moment, a number, or another sentence needs a hole of that kind."""
    [sentence] = in_source(f'x = f"It is {expression}."', "kore/x.py")
    assert sentence.kinds == (kind,)


def test_a_line_is_told_where_a_catalog_lacks_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also one whose hole is of another kind."""
    catalog = tmp_path / "kore.xx.po"
    catalog.write_text(
        'msgid ""\nmsgstr ""\n"Language: de\\n"\n\n'
        'msgid "It takes {size}."\nmsgstr "Es belegt {size}."\n\n'
        'msgid "As of {text}."\nmsgstr "Stand {text}."\n'
    )
    source = 'x = f"It takes {it}."\ny = f"As of {it:%Y-%m-%d}."\nz = "Not known."\n'
    monkeypatch.setattr(sentences, "said", lambda: in_source(source, "kore/x.py"))
    assert [one.place for one in uncovered(catalog)] == ["kore/x.py:2", "kore/x.py:3"]
