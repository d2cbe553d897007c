"""The command that imports courses from nbgrader's own exchange."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.course import ExchangeCourse


def command(here: ExchangeCourse, *arguments: str) -> subprocess.CompletedProcess:
    settings = here.services.settings
    return subprocess.run(
        [sys.executable, "-m", "kore", "take-over", *arguments],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("JUPYTERHUB")},
            "KORE_STATE_DIR": str(settings.state_dir),
            "KORE_EXCHANGE": str(settings.exchange),
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_the_command_imports_all_known_courses(here: ExchangeCourse, folder):
    """It says what it did, and can be run again."""
    done = command(here, "--exchange", str(folder.parent))
    assert done.returncode == 0, done.stderr
    assert "1 assignments, 3 submissions and feedback on 2 imported" in done.stdout
    assert "u9" in done.stdout
    folder.rename(folder.parent / "math")
    again = command(
        here, "--exchange", str(folder.parent), "--course", here.course, "--folder", "math"
    )
    assert again.returncode == 0
    assert "4 were there already" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--exchange", "/nowhere"], "is not a folder"),
        (["--exchange", "/proc"], "no folder of a course"),
        (["--exchange", "/proc", "--course", "c-0123456789abcdef"], "Course not found"),
    ],
)
@pytest.mark.slow
def test_the_command_says_why_it_cannot_import(here: ExchangeCourse, arguments, reason):
    """Where nothing can be imported, the command says why."""
    done = command(here, *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
