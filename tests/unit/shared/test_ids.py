"""Formats of ids."""

from __future__ import annotations

import pytest

from kore.shared.ids import is_course_id, is_person


@pytest.mark.parametrize(
    "name", ["", "c-", "c-0123456789ABCDEF", "c-0123456789abcdef0", "c-0123456789abcdef\n", "../x"]
)
def test_only_the_exact_format_is_a_course_id(name):
    """``c-`` and 16 hexadecimal digits, with nothing before or after."""
    assert not is_course_id(name)
    assert is_course_id("c-0123456789abcdef")


@pytest.mark.parametrize("name", ["", "u", "U1", "u1\n", "u1/", "u1-", "x1", "u" + "1" * 31])
def test_other_names_are_not_peoples(name):
    """``u`` and at most 30 safe characters, of which the last is a letter or a digit."""
    assert not is_person(name)
    assert is_person("u" + "1" * 30)
