"""Names of people and courses."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.shared.ids import is_course_id
from kore.shared.lti.identity import derive_course_id, derive_user_name

ISSUER = "https://moodle.example.edu"
# What JSON can bring: surrogates too, unlike hypothesis' default.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PLAIN = st.from_regex(r"[a-z0-9_-]{1,26}", fullmatch=True)


@pytest.mark.parametrize(
    ("sub", "name"),
    [
        ("123", "u123"),
        ("ada", "uada"),
        ("a" * 24, "u" + "a" * 24),
        ("a_b-c", "ua_b-c"),
    ],
)
def test_short_safe_subs_are_kept(sub, name):
    """Moodle's 123 is u123, so people recognise their own name."""
    assert derive_user_name(sub, ISSUER) == name


@pytest.mark.parametrize(
    "sub",
    [
        "",
        "-a",
        "a-",
        "Ada",
        "a" * 25,
        "x" * 200,
        "ada@example.edu",
        "../x",
        "a/b",
        "a b",
        "a\n",
        "٣",
        "c-0123456789ABCDEF",
        "535fa085-f9b3-4655-8e5b-6a4b0a1a1a1a",
    ],
)
def test_other_subs_become_digests(sub):
    """E-mail addresses, UUIDs, paths and other alphabets become names that any system accepts."""
    assert re.fullmatch(r"u-[a-z2-7]{26}", derive_user_name(sub, ISSUER))


def test_a_sub_like_a_course_id_is_not_a_course():
    """c- is reserved: such a person's name begins with u."""
    assert derive_user_name("c-0123456789abcdef", ISSUER) == "uc-0123456789abcdef"


def test_platforms_do_not_share_users():
    """User 123 of two platforms is two users."""
    other = derive_user_name("123", "https://canvas.example.edu", namespace=True)
    assert other != derive_user_name("123", ISSUER)
    assert other.startswith("u-")
    assert other != derive_user_name("123", "https://third.example.edu", namespace=True)


@given(ANY_TEXT | PLAIN, ANY_TEXT, st.booleans())
def test_every_sub_gives_a_usable_name(sub, issuer, namespace):
    """The hub, file systems and systemd accept the name of any sub."""
    name = derive_user_name(sub, issuer, namespace=namespace)
    assert re.fullmatch(r"u[a-z0-9_-]{1,30}", name)
    assert not name.endswith("-")
    assert name == derive_user_name(sub, issuer, namespace=namespace)


@given(ANY_TEXT | PLAIN, ANY_TEXT | PLAIN)
def test_different_subs_are_different_people(one, other):
    """No two subs share a name."""
    assert (derive_user_name(one, ISSUER) == derive_user_name(other, ISSUER)) == (one == other)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_case_matters(sub):
    """Subs that differ only by case are different people, though the hub folds case."""
    variants = {sub, sub.upper(), sub.lower(), sub.swapcase()}
    assert len({derive_user_name(v, ISSUER) for v in variants}) == len(variants)


@given(st.tuples(*[ANY_TEXT] * 4), st.tuples(*[ANY_TEXT] * 4))
def test_course_ids(one, other):
    """c- and 16 hexadecimal digits, the same for the same activity only."""
    assert re.fullmatch(r"c-[0-9a-f]{16}", derive_course_id(*one))
    assert is_course_id(derive_course_id(*one))
    assert (derive_course_id(*one) == derive_course_id(*other)) == (one == other)


def test_course_ids_depend_on_where_parts_end():
    """Moving a character from one part to the next gives another id."""
    assert derive_course_id("a", "bc", "d", "e") != derive_course_id("ab", "c", "d", "e")


def test_names_never_change():
    """Homes and gradebooks have these names: a release that changed one would lose them."""
    assert derive_user_name("Ada", ISSUER) == "u-tmb427k4z4xlxyiauqibex4elg"
    assert derive_course_id(ISSUER, "client", "1", "42") == "c-ac8d37d636e3384d"


@pytest.mark.parametrize("sub", ["ucp", "cf", "sers", "bunt", "buntu"])
def test_system_accounts_are_not_peoples_names(sub):
    """A sub that would give the name of a Linux account becomes a digest."""
    name = derive_user_name(sub, "https://lms.example")
    assert name.startswith("u-") is (f"u{sub}" != "ubunt")
