"""A course's nbgrader_config.py: its block, and files that change while they are replaced."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kore.service.coursedir import configfile
from kore.service.coursedir.layout import CONFIG
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Changed, Conflict

NAMES = frozenset(
    {
        "ClearSolutions.code_stub",
        "ClearSolutions.end_solution_delimeter",
        "FeedbackExporter.run_again",
    }
)


def test_a_file_is_created_once(tmp_path):
    """What a teacher has made of it stays, and nothing else is left."""
    configfile.create_file(tmp_path, "first")
    configfile.create_file(tmp_path, "second")
    assert (tmp_path / CONFIG).read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG]


def test_nothing_is_created_through_a_link(tmp_path):
    """A course directory that leads elsewhere gets no file there."""
    (tmp_path / "other").mkdir()
    (tmp_path / "course").symlink_to(tmp_path / "other")
    with pytest.raises(Conflict):
        configfile.create_file(tmp_path / "course", "text")
    assert list((tmp_path / "other").iterdir()) == []


def test_what_someone_else_has_written_is_not_replaced(tmp_path):
    """It is refused, the file is as they left it, and staging is empty."""
    (tmp_path / CONFIG).write_text("theirs")
    with SafeTree(tmp_path) as tree:
        with pytest.raises(Changed):
            configfile.replace_file(tree, "before", "after", hand_over=lambda _: None)
        assert configfile.read_file(tree) == "theirs"
        assert tree.list_folder(".kore") == []


def test_settings_that_only_running_tells_are_named(tmp_path):
    """A literal has its value; anything else is computed, whatever came before."""
    text = "c.ClearSolutions.code_stub = {}\nif x:\n    c.ClearSolutions.code_stub = f()\n"
    found = configfile.find_settings(text + "c.FeedbackExporter.run_again = True\n", NAMES)
    assert found.values == {"FeedbackExporter.run_again": True}
    assert found.computed == {"ClearSolutions.code_stub"}


lines = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "c = get_config()",
                "x = 1  # é",
                "",
                "c.ClearSolutions.end_solution_delimeter = 'X'",
                "c.ClearSolutions.code_stub = 5",
                "def f():\n    return c.FeedbackExporter.run_again",
            ]
        ),
        st.integers().map(lambda n: f"y = {n}"),
    )
)
values = st.dictionaries(
    st.sampled_from(sorted(NAMES)),
    st.one_of(st.booleans(), st.text(), st.dictionaries(st.text(), st.text())),
)


@settings(deadline=None)
@given(lines, values, values)
def test_any_block_can_be_written_read_and_taken_out(lines, first, second):
    """Whatever values: they are read back, and taking the block out gives the rest again."""
    rest = "\n".join(lines)
    once = configfile.write_block(rest, first)
    twice = configfile.write_block(once, second)
    assert configfile.write_block(twice, second) == twice
    assert configfile.remove_block(twice).rstrip() == rest.rstrip()
    ast.parse(twice)
    assert second.items() <= configfile.find_settings(twice, NAMES).values.items()
