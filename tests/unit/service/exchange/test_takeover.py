"""Courses imported from nbgrader's own file exchange."""

from __future__ import annotations

import os
import tarfile
from datetime import UTC, datetime

from kore.service.exchange import assignments, submissions
from kore.service.exchange.takeover import take_over
from tests.support.course import ExchangeCourse
from tests.support.file_exchange import STAMP, write


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
