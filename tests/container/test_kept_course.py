"""Courses in a container are graded as a job, backed up, reset, restored and deleted.

There Kore is an account of its own, which reaches courses' folders through access lists.
"""

from __future__ import annotations

import pytest

from tests.support.container import Box
from tests.walk.test_kept_course import through_everything

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]


def test_a_graded_course_through_all_that_can_happen_to_it(box: Box):
    """As in the demo: after each operation the course works on, or starts again."""
    through_everything(box)
