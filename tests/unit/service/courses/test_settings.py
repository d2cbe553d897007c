"""A course's settings in its nbgrader_config.py: read, written, and the rest of it untouched."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import cast

import pytest
from nbgrader.preprocessors import ClearSolutions
from pydantic import ValidationError
from traitlets.config.loader import PyFileConfigLoader

from kore.host import LocalHost
from kore.service.coursedir import configfile
from kore.service.coursedir.layout import CONFIG
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.courses import settings
from kore.service.courses.schemas import CourseSettings
from kore.service.errors import KoreError
from kore.service.services import Services
from kore.singleuser.formgrader.exporter import FeedbackExporter
from tests.support import course_server, notebooks

COURSE = "c-0123456789abcdef"
CHANGED = CourseSettings.model_validate(
    {
        "feedback": {"show_hidden_tests": False, "run_again": True},
        "solution": {"begin": "ANFANG “1”", "end": "ENDE \\ '''"},
        "code_stub": {"python": "# Hier\n\traise NotImplementedError('\\n\"')"},
    }
)


@pytest.fixture
def services(tmp_path):
    """As much of Kore as settings need: where courses lie."""
    host = LocalHost(homes=tmp_path / "homes", exchange=tmp_path / "exchange")
    return cast(Services, SimpleNamespace(host=host))


@pytest.fixture
def root(services):
    """The course's folder."""
    return services.host.prepare_course(COURSE)


def test_defaults_are_those_of_the_programs(services, root):
    """With an empty file the form shows what nbgrader and the feedback do."""
    shown = settings.read(services, COURSE)
    clear, feedback = ClearSolutions(), FeedbackExporter()
    assert clear.code_stub == settings.STUBS
    assert shown.model_dump() == {
        "feedback": {
            "show_hidden_tests": feedback.show_hidden_tests,
            "run_again": feedback.run_again,
        },
        "solution": {
            "begin": clear.begin_solution_delimeter,
            "end": clear.end_solution_delimeter,
        },
        "code_stub": {"python": clear.code_stub["python"]},
        "computed": [],
    }


def test_what_is_written_is_what_nbgrader_reads(services, root):
    """The file, run by traitlets, holds the form's values and all that stood in it before."""
    file = root / CONFIG
    file.write_text("c = get_config()\nc.Exchange.timezone = 'UTC'  # mine")
    assert settings.write(services, COURSE, CHANGED) == CHANGED
    assert settings.read(services, COURSE) == CHANGED
    config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    assert config.Exchange.timezone == "UTC"
    assert config.ClearSolutions.begin_solution_delimeter == "ANFANG “1”"
    stub = config.ClearSolutions.code_stub
    assert stub == {**settings.STUBS, "python": CHANGED.code_stub.python}
    assert config.FeedbackExporter.run_again is True
    assert config.FeedbackExporter.show_hidden_tests is False
    assert file.read_text().startswith("c = get_config()\nc.Exchange.timezone = 'UTC'  # mine\n")


def test_the_course_can_read_the_file_from_its_first_moment(services, root, monkeypatch):
    """It is handed over to the course's account before it takes its place."""
    file, seen = root / CONFIG, []

    def hand_over(course: str, path: str) -> None:
        seen.append((course, file.exists(), settings.read(services, COURSE) == CHANGED))
        assert (root / path).exists()

    monkeypatch.setattr(services.host, "hand_over_file", hand_over)
    settings.write(services, COURSE, CHANGED)
    assert seen == [(COURSE, False, False)]
    assert list((root / ".kore").iterdir()) == []


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("theirs", [b"c = get_config()\nc.Exchange.timezone = 'UTC'\n", b"\xff"])
def test_what_somebody_writes_in_the_same_moment_is_kept(
    services, root, monkeypatch, theirs, exchange
):
    """A teacher saves the file while the form is written: theirs stays, and the form says so."""
    file = root / CONFIG
    file.write_text("c = get_config()\n")
    if not exchange:
        monkeypatch.setattr(SafeTree, "swap", _cannot)
    monkeypatch.setattr(services.host, "hand_over_file", lambda *_: file.write_bytes(theirs))
    with pytest.raises(KoreError) as refused:
        settings.write(services, COURSE, CHANGED)
    assert refused.value.code == "config_changed"
    assert file.read_bytes() == theirs
    assert list((root / ".kore").iterdir()) == []


def _cannot(*_: object) -> None:
    raise OSError(errno.EINVAL, "this file system cannot exchange")


def test_a_file_system_without_exchange_keeps_settings_too(services, root, monkeypatch):
    """As of network file systems: the new file comes into the old one's place."""
    (root / CONFIG).write_text("c = get_config()\n")
    monkeypatch.setattr(SafeTree, "swap", _cannot)
    settings.write(services, COURSE, CHANGED)
    assert settings.read(services, COURSE) == CHANGED
    assert list((root / ".kore").iterdir()) == []


def test_back_to_the_defaults_leaves_no_trace(services, root):
    """What equals the rest of the file is not written: the block goes with its last line."""
    before = "c = get_config()\n"
    (root / CONFIG).write_text(before)
    usual = settings.read(services, COURSE)
    settings.write(services, COURSE, CHANGED)
    settings.write(services, COURSE, usual)
    assert (root / CONFIG).read_text() == before


def test_a_teachers_own_lines_are_shown_and_stay(services, root):
    """A teacher's own lines count; one that only running would tell is named, and kept."""
    text = (
        "c = get_config()\n"
        "c.ClearSolutions.end_solution_delimeter = 'FIN'\n"
        "c.ClearSolutions.begin_solution_delimeter = 'DE' + 'BUT'\n"
        "if True:\n    c.FeedbackExporter.run_again = True\n"
        "c.ClearSolutions.code_stub.update(python='pass')\n"
    )
    (root / CONFIG).write_text(text)
    shown = settings.read(services, COURSE)
    assert shown.solution.end == "FIN"
    assert shown.computed == ["code_stub.python", "feedback.run_again", "solution.begin"]
    shown.feedback.show_hidden_tests = False
    settings.write(services, COURSE, shown)
    kept = (root / CONFIG).read_text()
    assert kept.startswith(text)
    block = kept.removeprefix(text)
    assert "FeedbackExporter.show_hidden_tests" in block
    assert "ClearSolutions" not in block
    assert "run_again" not in block


@pytest.mark.parametrize(
    "content",
    [
        b"c = get_config(\n",
        b"\xff\xfe",
        b"a\x00b",
        b"(" * 5000,
        configfile.BEGIN.encode() + b"\n",
        configfile.END.encode() + b"\n",
        b"#" * 300_000,
    ],
    ids=["syntax", "not text", "nul", "deep", "no end", "no beginning", "huge"],
)
def test_a_broken_file_is_refused_and_left(services, root, content):
    """A file that cannot be read is named with the reason, and not written over."""
    (root / CONFIG).write_bytes(content)
    with pytest.raises(KoreError) as refused:
        settings.write(services, COURSE, CHANGED)
    assert refused.value.code in {"config_unreadable", "too_large.file"}
    assert refused.value.hint
    assert (root / CONFIG).read_bytes() == content


def test_a_link_is_not_followed(services, root, tmp_path):
    """A course's account cannot have Kore write over, or show, another's file."""
    other = tmp_path / "other.py"
    other.write_text("c.ClearSolutions.end_solution_delimeter = 'SECRET'\n")
    (root / CONFIG).symlink_to(other)
    with pytest.raises(KoreError, match=r"link|plain"):
        settings.read(services, COURSE)
    with pytest.raises(KoreError):
        settings.write(services, COURSE, CHANGED)
    assert "SECRET" in other.read_text()


def test_nothing_of_the_file_is_run(services, root, tmp_path):
    """Reading runs no line: the file is a program of the course's account."""
    trap = tmp_path / "ran"
    (root / CONFIG).write_text(f"open({str(trap)!r}, 'w')\n")
    settings.read(services, COURSE)
    assert not trap.exists()


def test_a_course_without_a_folder_is_not_ready(services):
    """Before a course is set up there is nothing to change, and it says so."""
    with pytest.raises(KoreError) as refused:
        settings.read(services, COURSE)
    assert refused.value.code == "course_not_ready"


def test_two_at_once_leave_a_whole_file(services, root):
    """Forms sent at the same time come one after the other."""
    usual = settings.read(services, COURSE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda s: settings.write(services, COURSE, s), [CHANGED, usual] * 20))
    assert settings.read(services, COURSE) in (CHANGED, usual)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("A", "xAx"),
        ("", "END"),
        ("a\nb", "END"),
        (" a", "END"),
        ("A", "\u202eEND"),
        ("A" * 101, "E"),
    ],
)
def test_marks_that_cannot_work_are_refused(begin, end):
    """A mark is one visible line; one that is part of the other would never end."""
    wanted = CHANGED.model_dump() | {"solution": {"begin": begin, "end": end}}
    with pytest.raises(ValidationError):
        CourseSettings.model_validate(wanted)


@pytest.mark.slow
def test_students_get_what_the_form_says(services, root):
    """nbgrader itself makes the students' version with the new marks and the new stub."""
    source = notebooks.assignment()
    text = json.dumps(source, ensure_ascii=False)
    text = text.replace("BEGIN SOLUTION", "ANFANG “1”").replace("END SOLUTION", "SCHLUSS")
    folder = root / "source" / "ps1"
    folder.mkdir(parents=True)
    (folder / "p1.ipynb").write_text(text)
    wanted = CHANGED.model_copy(deep=True)
    wanted.solution.end = "SCHLUSS"
    settings.write(services, COURSE, wanted)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1", "--create"],
        cwd=root,
        env=course_server.variables(root),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = (root / "release" / "ps1" / "p1.ipynb").read_text()
    assert "# Hier" in made
    assert "ANFANG" not in made
    assert "return x * x" not in made
