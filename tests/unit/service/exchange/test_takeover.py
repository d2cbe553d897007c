"""Courses imported from nbgrader's own file exchange."""

from __future__ import annotations

import os
import tarfile
from datetime import UTC, datetime

import pytest
from nbgrader.utils import make_unique_key, notebook_hash

from kore.service.exchange import assignments, submissions
from kore.service.exchange.takeover import take_over
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


def unpacked(handle) -> dict[str, bytes]:
    with handle, tarfile.open(fileobj=handle) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar if info.isreg()}


def test_everything_is_imported_once(here: ExchangeCourse, folder):
    """Releases, submissions and feedback come with their times; a second run adds nothing."""
    report = take_over(here.services, here.course, folder)
    assert (report.releases, report.submissions, report.feedback) == (1, 3, 2)
    assert (report.strangers, report.unfit_feedback, report.problems) == (["u9"], 1, [])
    [one, two] = here.listed(user="u2")
    assert one.received_at == datetime(2026, 3, 1, 10, 20, 30, 123456, UTC)
    pages = [
        unpacked(submissions.open_feedback(here.services, here.course, s.id, "u2")[0])
        for s in (one, two)
    ]
    assert pages == [{"squares.html": b"<p>new rule</p>"}, {"squares.html": b"<p>old rule</p>"}]
    handle, _ = submissions.open_submission(here.services, here.course, two.id, "u2")
    assert set(unpacked(handle)) == {"squares.ipynb", "timestamp.txt"}
    [released] = assignments.list_assignments(here.services, here.course)
    assert released.notebooks == ["squares.ipynb"]

    before = [s.model_dump() for s in here.listed()]
    again = take_over(here.services, here.course, folder)
    assert (again.releases, again.submissions, again.feedback, again.already) == (0, 0, 0, 4)
    assert [s.model_dump() for s in here.listed()] == before


def test_an_assignment_that_kore_released_stays(here: ExchangeCourse, folder):
    """An assignment that Kore has released is left as it is."""
    here.release("ps1", {"newer.ipynb": b"{}"})
    assert take_over(here.services, here.course, folder).releases == 0
    [released] = assignments.list_assignments(here.services, here.course)
    assert released.notebooks == ["newer.ipynb"]


def test_hostile_folders_are_left_out(here: ExchangeCourse, folder, tmp_path):
    """Links, pipes, deceiving names and nonsense are reported and left out."""
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    work = folder / "inbound" / f"u3+ps1+{STAMP}"
    write(work / "a.ipynb", "{}")
    (work / "link.ipynb").symlink_to(secret)
    (work / "folder").symlink_to(tmp_path)
    os.mkfifo(work / "pipe")
    write(work / "new\nline", "x")
    (folder / "inbound" / f"u3+ps2+{STAMP}").symlink_to(tmp_path)
    (folder / "outbound" / "ps3").symlink_to(tmp_path)
    for name in ("nonsense", "u3+ps1+yesterday", f"u3+..+{STAMP}"):
        write(folder / "inbound" / name / "a", "")
    report = take_over(here.services, here.course, folder)
    [one] = here.listed(user="u3")
    handle, _ = submissions.open_submission(here.services, here.course, one.id, "u3")
    assert unpacked(handle) == {"a.ipynb": b"{}"}
    assert [h.name for h in assignments.list_assignments(here.services, here.course)] == ["ps1"]
    assert len(report.problems) == 9
    assert not [problem for problem in report.problems if "\n" in problem]
