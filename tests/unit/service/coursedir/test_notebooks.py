"""Notebooks as anyone may write them: summaries and previews never fail, and are true."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.service.coursedir.notebooks import (
    MAX_BYTES,
    NotebookUnreadable,
    parse_notebook,
    preview_cells,
    summarize,
)
from tests.support import notebooks as written


def book(*cells, **changes) -> bytes:
    made = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made | changes).encode()


def text(source, kind="markdown") -> dict:
    return {"cell_type": kind, "metadata": {}, "source": source}


def graded(points, **marks) -> dict:
    kept = {"grade": True, "points": points, **marks}
    return {"cell_type": "code", "metadata": {"nbgrader": kept}, "source": ""}


def test_a_summary_has_title_points_and_cells():
    """A teacher's notebook tells its first heading, its points together, and its cells."""
    found = summarize(json.dumps(written.assignment(points=5, manual=2.5)).encode())
    assert (found.title, found.points, found.cells, found.fault) == ("Squares", 7.5, 4, None)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# Squares\ntext", "Squares"),
        ("## **Bold** `code` ##", "Bold code"),
        (["text\n", "\n", "Under\n", "=====\n"], "Under"),
        ("```\n# no heading\n```\n# Heading", "Heading"),
        ("    # code\n#hashtag\n#\nrest", ""),
        ("# \u202eevil\u2066 \n", "evil"),
        ("#" * 7 + " seven", ""),
        ("# " + "x" * 999, "x" * 200),
        ("# \ud800", "?"),
    ],
)
def test_the_title_is_the_first_heading(source, title):
    """Headings in both of Markdown's forms count; code and what only looks like one do not."""
    assert summarize(book(text("# in code", "code"), text(source))).title == title


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "no_json"),
        (b"\xff\xfe\x00", "no_json"),
        (b"<html>", "no_json"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"1" * 5000, "no_json"),
        (b"[]", "no_notebook"),
        (book(nbformat=3), "format"),
        (book(nbformat=True), "format"),
        (book(nbformat=[]), "format"),
        (book(cells={}), "no_cells"),
        (book("cell"), "no_cells"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_not_a_notebook_has_a_fault(content, fault):
    """Each has no points and its fault, in the list and in the preview."""
    found = summarize(content)
    assert found.points is None
    assert found.fault is not None
    assert found.fault.id == f"notebook_fault.{fault}"
    with pytest.raises(NotebookUnreadable) as caught:
        preview_cells(content)
    assert caught.value.fault == found.fault


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        (graded("2.5"), 2.5),
        (graded(""), 0),
        (graded(-3), 0),
        (graded(None), 0),
        ({"metadata": {"nbgrader": {"grade": False, "points": 9}}}, 0),
        (graded("many"), None),
        (graded(True), None),
        (graded([1]), None),
        (graded(float("nan")), None),
        (graded(float("inf")), None),
        (graded(10**400), None),
        ({"metadata": [], "cell_type": {}, "source": {}}, 0),
        ({"metadata": {"nbgrader": "yes"}}, 0),
    ],
)
def test_points_are_read_as_nbgrader_reads_them(cell, points):
    """Text of the oldest notebooks counts, negative is nothing, no number is null."""
    assert summarize(book(cell)).points == points


def test_a_preview_shows_roles_and_points():
    """Each cell comes with what it is to nbgrader, and points only where it is graded."""
    cells, truncated = preview_cells(json.dumps(written.assignment(points=5, manual=2)).encode())
    assert [(c.kind, c.role, c.points) for c in cells] == [
        ("markdown", "text", None),
        ("code", "solution", None),
        ("code", "tests", 5),
        ("markdown", "solution", 2),
    ]
    assert "BEGIN HIDDEN TESTS" in cells[2].text
    assert not truncated


def test_a_long_preview_is_cut_between_characters():
    """No more than 200 kB of text and 1000 cells come, and the answer says that it goes on."""
    cells, truncated = preview_cells(book(text("x"), text("ä" * 150_000), text("end")))
    assert truncated
    assert sum(len(cell.text.encode()) for cell in cells) in range(199_990, 200_001)
    assert set(cells[1].text) == {"ä"}
    cells, truncated = preview_cells(book(*[text("") for _ in range(1001)]))
    assert (len(cells), truncated) == (1000, True)


NUMBERS = [0, -1, 1.5, float("nan"), 10**400]
OTHERS = [None, True, False, "", "x", "7", [], [1], ["a", {}], {}, {"a": []}, {"nbgrader": []}]
ANY = st.sampled_from([*NUMBERS, *OTHERS]) | st.text(max_size=20)
MARKS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("grade", "solution", "locked", "task", "points"), ANY)
)
CELLS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "cell_type": ANY | st.sampled_from(["markdown", "code"]),
            "source": ANY | st.text(alphabet="#=` \n\tab"),
            "metadata": ANY | st.fixed_dictionaries({"nbgrader": ANY | MARKS}),
        },
    ),
    max_size=4,
)


@given(CELLS)
def test_any_cells_can_be_listed_and_shown(cells):
    """Whatever JSON stands in a cell: a line for the list, text for the preview, no error."""
    content = book(*cells)
    found = summarize(content)
    shown, _ = preview_cells(content)
    assert found.cells == len(shown) == len(cells)
    assert found.points is None or found.points >= 0
    assert "\n" not in found.title
    for cell in shown:
        cell.text.encode()
        assert cell.kind in {"markdown", "code", "raw"}


@given(st.binary(max_size=200))
def test_any_bytes_can_be_listed(content):
    """Bytes that are not a notebook have a fault."""
    assert summarize(content).fault or parse_notebook(content)
