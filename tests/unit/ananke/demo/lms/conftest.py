"""A running LMS for each test, in the profile that the test asks for."""

from __future__ import annotations

import pytest

from tests.support.embedded_lms import running_lms


@pytest.fixture
def lms(tmp_path, request):
    """An LMS; `@pytest.mark.parametrize("lms", ["canvas"], indirect=True)` sets its profile."""
    with running_lms(tmp_path, profile=getattr(request, "param", "moodle")) as running:
        yield running
