"""A kill at any moment, and what the next start finds."""

from __future__ import annotations

import hashlib
import random
import select
import signal
import subprocess
import sys
import time

import pytest

from kore.service.exchange import assignments, index, submissions
from tests.support.course import ExchangeCourse
from tests.support.kore import make_kore

pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path):
    """A course whose state lies in the test's folder."""
    with make_kore(tmp_path) as kore:
        yield ExchangeCourse(kore)


def _lines_until_killed(arguments: list[str], seconds: float) -> list[str]:
    """Run until the first line and some time more; kill; return the lines that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.submit_process", *arguments],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0], "nothing was handed in"
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    return output.splitlines()


def test_a_kill_leaves_whole_submissions_only(here: ExchangeCourse, tmp_path):
    """After kills at random moments: what was acknowledged is there, and all there is whole."""
    acknowledged: dict[str, str] = {}
    for _ in range(5):
        lines = _lines_until_killed(
            [str(tmp_path), here.course, "u2"],
            random.uniform(0, 0.4),
        )
        acknowledged.update(dict(line.split() for line in lines))
        index.sweep(here.services)
        folder = here.services.settings.exchange
        assert [path.name for path in (folder / "incoming").iterdir()] == ["lock"]
        named = set(index.iterate_blobs(here.services))
        assert {path.stem for path in (folder / "courses").rglob("*.tar")} == named
    there = {one.id: one for one in here.listed()}
    assert {one: there[one].sha256 for one in acknowledged} == acknowledged
    for one in there.values():
        handle, row = submissions.open_submission(here.services, here.course, one.id, "u2")
        with handle:
            assert hashlib.sha256(handle.read()).hexdigest() == row.sha256
        if one.feedback:
            handle, feedback = submissions.open_feedback(here.services, here.course, one.id, "u2")
            with handle:
                assert hashlib.sha256(handle.read()).hexdigest() == feedback.sha256
    handle, handout = assignments.open_assignment(here.services, here.course, "ps1")
    with handle:
        assert hashlib.sha256(handle.read()).hexdigest() == handout.sha256
