"""Formats of the ids of courses, people and jobs.

A course is a hub user named ``c-`` and 16 hexadecimal digits; a person ``u`` and what
``kore.shared.lti.identity`` derives from the LMS's ``sub``. A job id has 32 hexadecimal digits.
"""

from __future__ import annotations

import re

COURSE_ID_PATTERN = r"^c-[0-9a-f]{16}$"
JOB_ID_PATTERN = r"^[0-9a-f]{32}$"

_COURSE_ID = re.compile(r"c-[0-9a-f]{16}")
_PERSON = re.compile(r"u[a-z0-9_-]{0,29}[a-z0-9]")


def is_course_id(name: str) -> bool:
    """Whether a name is a course id, which is also its hub user and account."""
    return _COURSE_ID.fullmatch(name) is not None


def is_person(name: str) -> bool:
    """Whether a name is a person's: a hub user whose name is safe for a folder and an account."""
    return _PERSON.fullmatch(name) is not None
