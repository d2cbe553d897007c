"""Which files a notebook needs: what names them in text and code, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.service.copying.references import find_references, rename_reference

FILES = [
    "a.csv", "b.csv", "my file.png", "data/a.csv", "data/deep/b.json", "img/x.png",
    "helpers.py", "pkg/__init__.py", "pkg/inner.py", "late.txt", "naïve.txt",
]  # fmt: skip
MODULES = {"helpers.py": "import pkg.inner", "pkg/inner.py": "open('late.txt')"}


def notebook(source, kind="code"):
    return {"cells": [{"cell_type": kind, "source": source, "metadata": {}}]}


def needs(source, kind="code"):
    return find_references(notebook(source, kind), FILES, lambda path: MODULES.get(path, ""))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("![x](img/x.png)", ["img/x.png"]),
        ('![x](./img/x.png "title")', ["img/x.png"]),
        ("![x](img/../img/x.png)", ["img/x.png"]),
        ("[x](my%20file.png#part?)", ["my file.png"]),
        ("[x](<my file.png>)", ["my file.png"]),
        ("[x][y]\n\n[y]: data/a.csv", ["data/a.csv"]),
        ("<img src=img/x.png><a href='a.csv'>", ["a.csv", "img/x.png"]),
        ('<IMG SRC="my file.png">', ["my file.png"]),
        ("![x](attachment:a.csv) [x](https://e.org/a.csv) [x](/a.csv) [x](../a.csv)", []),
        ("a.csv is a word, `data/a.csv` too", []),
    ],
)
def test_links_in_text(source, found):
    """Links of Markdown in all forms and attributes of HTML count, if such a file is there."""
    assert needs(source, "markdown") == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("pd.read_csv('a.csv')", ["a.csv"]),
        ('read.csv("data/a.csv")', ["data/a.csv"]),
        ("os.path.join('data', name)", ["data/a.csv", "data/deep/b.json"]),
        ("glob('*.csv')", ["a.csv", "b.csv", "data/a.csv"]),
        ("open(f'{name}.csv')", ["a.csv", "b.csv", "data/a.csv"]),
        ("%run helpers.py", ["helpers.py", "late.txt", "pkg/__init__.py", "pkg/inner.py"]),
        ("!head -n 3 data/a.csv | sort", ["data/a.csv"]),
        ("from pkg import inner", ["late.txt", "pkg/__init__.py", "pkg/inner.py"]),
        ("HTML(\"<img src='img/x.png'>\")", ["img/x.png"]),
        ("x = '*'; y = '**/*'; z = '.'; w = '/'", []),
        ("a.csv", []),
        ("'~/a.csv' '/a.csv' 'c:\\\\a.csv' '../a.csv'", []),
    ],
)
def test_strings_in_code(source, found):
    """Strings of any language, magics, and Python's imports, with what those name in turn."""
    assert needs(source) == found


def test_a_file_can_get_another_name():
    """Every form that names it is changed, in its own spelling, and nothing else."""
    book = notebook("open('my file.png'); open(\"./my file.png\"); x = 'my file.png.old'")
    book["cells"].append(
        {"cell_type": "markdown", "source": ["![my file.png](my%20file.png#x)\n", "my file.png"]}
    )
    rename_reference(book, "my file.png", "my file-2.png")
    assert [cell["source"] for cell in book["cells"]] == [
        "open('my file-2.png'); open(\"./my file-2.png\"); x = 'my file.png.old'",
        "![my file.png](my%20file-2.png#x)\nmy file.png",
    ]


NAMES = st.text(
    st.characters(categories=["L", "N"], include_characters=" ._-"), min_size=1, max_size=12
).filter(lambda name: name.strip(" .") == name and not name.isspace())


@given(st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["'{}'", '"{}"', "![](<{}>)"]))
def test_any_plain_name_is_found_and_can_be_changed(parts, form):
    """Whatever letters a path has: the reference is found, and leads to the new name after."""
    path, kind = "/".join(parts), "markdown" if "!" in form else "code"
    book = notebook("x " + form.format(path), kind)
    assert find_references(book, [path, "other"], lambda _: "") == [path]
    new = path + "-2"
    rename_reference(book, path, new)
    assert find_references(book, [path, new], lambda _: "") == [new]


@given(st.text(alphabet="[]()<>!'\"`={}*?/.\\ \na%#srchef:,import", max_size=300))
def test_any_text_can_be_looked_through(source):
    """No text makes it fail, or name what is not there."""
    for kind in ("code", "markdown", "raw"):
        assert set(needs(source, kind)) <= set(FILES)
        rename_reference(notebook(source, kind), "a.csv", "z.csv")


@pytest.mark.parametrize("piece", ["](", "src = ", "'", "\n ", "{", "*a", "import a,", "[a]: <"])
def test_text_made_to_take_long_does_not(piece):
    """A megabyte of the worst is looked through within seconds."""
    began = time.thread_time()
    needs(piece * (1024 * 1024 // len(piece)))
    assert time.thread_time() - began < 10
