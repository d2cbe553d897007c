"""From an LMS outside the container to a grade in it, through the image as it is shipped."""

from __future__ import annotations

import pytest

from tests.support.container import Box
from tests.walk.test_whole_way import test_from_the_lms_to_a_grade_and_back as whole_way

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


def test_teacher_and_students_from_the_lms_to_the_grades(box: Box):
    """What holds for the demo holds for the container, below a path of several segments."""
    whole_way(box)
