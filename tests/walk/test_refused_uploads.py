"""What is refused while it is still being sent: in words, through the hub's proxy too."""

from __future__ import annotations

import pytest

from tests.support.demo import Demo
from tests.support.web_user import WebUser

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo"), pytest.mark.timeout(300)]


@pytest.mark.parametrize("size", [300_000, 5_000_000])
def test_a_refusal_arrives_and_the_next_request_too(demo: Demo, size: int):
    """A body that nobody reads: each time Kore's own answer, and none of the proxy's 503."""
    teacher = WebUser(demo, "marek")
    teacher.launch("words")
    course = teacher.kore("GET", "/courses/current").json()["course"]["id"]
    path = f"/backups/upload?course={course}"
    for _ in range(20):
        refused = teacher.kore("POST", path, data=b"x" * size)
        assert refused.status_code in {413, 415}, refused.text
        assert refused.json()["error"]["message"]
        assert teacher.kore("GET", "/session").status_code == 200
