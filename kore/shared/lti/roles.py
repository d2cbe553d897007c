"""Maps the roles claim of a launch to a role in the course (LTI 1.3 core, 5.3.7 and A.2)."""

from __future__ import annotations

from typing import Any

from kore.shared.roles import Role

_MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"


def _context_role(role: str) -> str | None:
    """Return the principal context role that a role names, None for other kinds.

    A sub-role means its principal role, which is the path and not the fragment:
    ``membership/Learner#Instructor`` is a learner.
    """
    if role.startswith(_MEMBERSHIP + "#"):
        return role.removeprefix(_MEMBERSHIP + "#")
    if role.startswith(_MEMBERSHIP + "/"):
        return role.removeprefix(_MEMBERSHIP + "/").partition("#")[0]
    # A name without a vocabulary is a context role (A.2.3).
    return None if {":", "/", "#"} & set(role) else role


def parse_role(claim: Any) -> Role:
    """Return the role that a roles claim means, whatever JSON it is.

    Any context role Instructor wins. Institution and system roles alone never make an
    instructor: an administrator of the LMS is not a teacher of every course. No role at all
    means learner, as some platforms send none for students.
    """
    roles = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    names = [name for name in (r.strip() for r in roles if isinstance(r, str)) if name]
    if not names:
        return Role.LEARNER
    context = {_context_role(name) for name in names}
    if "Instructor" in context:
        return Role.INSTRUCTOR
    return Role.LEARNER if "Learner" in context else Role.OBSERVER
