"""Mapping the roles claim to a role."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.shared.lti.roles import parse_role
from kore.shared.roles import Role

M = "http://purl.imsglobal.org/vocab/lis/v2/membership"
I = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"  # noqa: E741
S = "http://purl.imsglobal.org/vocab/lis/v2/system/person"


@pytest.mark.parametrize(
    ("claim", "role"),
    [
        ([f"{M}#Instructor"], Role.INSTRUCTOR),
        ([f"{M}/Instructor#TeachingAssistant"], Role.INSTRUCTOR),
        ([f"{M}/Instructor"], Role.INSTRUCTOR),
        (["Instructor"], Role.INSTRUCTOR),
        ("Instructor", Role.INSTRUCTOR),
        ([f"{M}#Learner", f"{M}#Instructor"], Role.INSTRUCTOR),
        (
            [f"{I}#Administrator", f"{M}#Instructor", f"{S}#Administrator"],
            Role.INSTRUCTOR,
        ),
        ([f"{M}#Learner"], Role.LEARNER),
        ([f"{M}/Learner#Instructor"], Role.LEARNER),
        (["Learner"], Role.LEARNER),
        ([], Role.LEARNER),
        (None, Role.LEARNER),
        ([""], Role.LEARNER),
        ([f"{M}#Mentor"], Role.OBSERVER),
        ([f"{M}#ContentDeveloper"], Role.OBSERVER),
        ([f"{M}#Administrator"], Role.OBSERVER),
        ([f"{I}#Instructor"], Role.OBSERVER),
        ([f"{I}#Student", f"{S}#User"], Role.OBSERVER),
        (["urn:lti:role:ims/lis/Instructor"], Role.OBSERVER),
        (["https://evil.example/membership#Instructor"], Role.OBSERVER),
        (["NotInstructor"], Role.OBSERVER),
    ],
)
def test_roles(claim, role):
    """The context role Instructor teaches; no role means learner; the rest are observers."""
    assert parse_role(claim) is role


@given(st.recursive(st.none() | st.text() | st.integers() | st.booleans(), st.lists))
def test_any_json_has_a_role(claim):
    """Nothing in a roles claim is an error."""
    assert parse_role(claim) in Role
