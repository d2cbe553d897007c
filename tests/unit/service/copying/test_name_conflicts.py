"""Names that are taken, as file systems tell them apart."""

from __future__ import annotations

import pytest

from kore.service.copying.name_conflicts import TakenNames, check_title, find_free_path
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Conflict, Invalid


@pytest.mark.parametrize("name", ["ps1", "PS1", "übung", "U\u0308bung"])
def test_spellings_that_some_system_takes_for_one_are_taken(name):
    """Case and Unicode's forms do not matter."""
    assert TakenNames({"Ps1", "Übung"}).has(name)


def test_another_spelling_is_refused_and_the_same_is_not():
    """Who replaces must name exactly what is there."""
    taken = TakenNames({"ps1"})
    taken.refuse_twin("ps1")
    taken.refuse_twin("other")
    with pytest.raises(Conflict) as refused:
        taken.refuse_twin("PS1")
    assert refused.value.message.params == {"name": "PS1", "other": "ps1"}


def test_a_name_that_was_given_is_taken():
    """Two things of one copy cannot get the same name."""
    taken = TakenNames(set())
    taken.add("ps1")
    assert taken.has("PS1")


def test_a_title_that_nbgrader_refuses_is_refused():
    """The reason comes with it."""
    check_title("ps 1", "assignment")
    with pytest.raises(Invalid) as refused:
        check_title("a+b", "problem")
    assert refused.value.message.id == "bad_name.copied_problem"
    assert refused.value.message.params["reason"].id == "name_fault.nbgrader"


@pytest.mark.parametrize(
    ("path", "free"),
    [("a.csv", "a-3.csv"), ("data/a.csv", "data/a.csv"), ("Makefile", "Makefile-2"), (".x", ".x")],
)
def test_a_free_path_is_in_the_same_folder(tmp_path, path, free):
    """The ending stays, and names that differ in case are taken too."""
    folder = tmp_path / "source/ps1"
    folder.mkdir(parents=True)
    for name in ("a.csv", "A-2.csv", "Makefile"):
        (folder / name).write_text("")
    with SafeTree(tmp_path) as tree:
        assert find_free_path(tree, "ps1", path) == free
