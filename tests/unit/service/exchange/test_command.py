"""The command that imports courses from nbgrader's own exchange."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from nbgrader.utils import make_unique_key, notebook_hash

from kore.service.exchange import assignments
from tests.support.course import ExchangeCourse
from tests.support.kore import make_kore

STAMP = "2026-03-01 10:20:30.123456 UTC"


@pytest.fixture
def here(tmp_path):
    """A course in which nothing is released yet."""
    with make_kore(tmp_path / "state") as kore:
        exchange = ExchangeCourse(kore)
        assignments.withdraw_assignment(exchange.services, exchange.course, "ps1", by="u1")
        yield exchange


@pytest.fixture
def folder(here, tmp_path):
    """The course's folder of a file exchange: one release, three submissions, feedback."""
    root = tmp_path / "old" / here.course
    write(root / "outbound/ps1/squares.ipynb", "{}")
    write(root / "outbound/ps1/data/numbers.csv", "1")
    for name, secret in (
        (f"u2+ps1+{STAMP}+c2Vj", "secret"),
        ("u2+ps1+2026-03-02 00:00:00.000000 UTC", ""),
        (f"u9+ps1+{STAMP}+x_-y", "other"),
    ):
        write(root / "inbound" / name / "squares.ipynb", f'{{"by": "{name}"}}')
        write(root / "inbound" / name / "timestamp.txt", STAMP)
        if secret:
            write(root / "inbound" / name / "submission_secret.txt", secret)
    page = notebook_hash(secret="secret", notebook_id="squares")
    write(root / f"feedback/{page}.html", "<p>new rule</p>")
    old = root / "inbound/u2+ps1+2026-03-02 00:00:00.000000 UTC/squares.ipynb"
    key = make_unique_key(here.course, "ps1", "squares", "u2", "2026-03-02 00:00:00.000000 UTC")
    write(root / f"feedback/{notebook_hash(str(old), key)}.html", "<p>old rule</p>")
    write(root / f"feedback/{'0' * 32}.html", "whose?")
    return root


def write(path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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
