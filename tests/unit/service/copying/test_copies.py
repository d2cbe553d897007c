"""Copies as jobs: what earlier versions had begun, and how long a request's history may be."""

from __future__ import annotations

import pytest

from kore.service import jobs
from kore.service.copying import copies
from kore.service.copying.schemas import CopyRequest
from kore.service.coursedir import transaction
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.db.models import Audit, Job, JobState
from kore.service.jobs.reports import FINAL
from kore.shared.messages import message
from tests.support import notebooks
from tests.support.kore import make_kore


@pytest.fixture
def kore(tmp_path):
    with make_kore(tmp_path) as kore:
        yield kore


def test_a_copy_that_an_earlier_version_began_is_completed(kore):
    """Killed between its moves before an update: its folders, journal and report lines serve."""
    course, _ = kore.launch("1", "Instructor")
    kore.work()
    root = kore.services.host.course_root(course)
    request = {"from": {"kind": "course", "id": course}, "assignment": None}
    with kore.db.session() as session:
        job_id = jobs.enqueue(
            session,
            copies.COPY,
            course_id=course,
            created_by="u1",
            params={"request": request},
            message=message("audit.copy_all", source="Algebra"),
        ).id
    for name in ("ps1", "ps2"):
        (root / f".kore/copy-{job_id}/{name}").mkdir(parents=True)
        (root / f".kore/copy-{job_id}/{name}/p.ipynb").write_text(name)
    (root / "source").mkdir()
    with SafeTree(root) as tree:
        moves = [
            transaction.plan_move(
                tree, f".kore/copy-{job_id}/{name}", f"source/{name}", swap=False
            ).model_dump()
            for name in ("ps1", "ps2")
        ]
        tree.rename(f".kore/copy-{job_id}/ps1", "source/ps1")
    line = {"key": "ps1", "label": "ps1", "words": "As “ps1”.", "detail": {"files": 1}}
    params = {
        "request": request,
        "journal": {"state": "forward", "moves": moves},
        "lines": [line],
        FINAL: True,
    }
    with kore.db.session() as session:
        session.get_one(Job, job_id).params = params
    kore.work()
    report = jobs.read_report(kore.db, job_id)
    assert report.state == JobState.DONE.value
    assert [item.message.text for item in report.items if item.message] == ["As “ps1”."]
    assert sorted(path.name for path in (root / "source").iterdir()) == ["ps1", "ps2"]
    assert not (root / ".kore").exists()


def test_the_history_names_a_few_assignments_and_counts_many(kore):
    """An entry is kept for ever, so it does not grow with the request."""
    course, _ = kore.launch("1", "Instructor", link="source")
    target, _ = kore.launch("1", "Instructor", link="target")
    kore.work()
    names = [f"ps{number}" for number in range(8)]
    for name in names:
        kore.source(course, name, p=notebooks.assignment())
    for asked in (names[:2], names[2:], None):
        request = CopyRequest.model_validate(
            {"from": {"kind": "course", "id": course}, "assignments": asked, "collision": "replace"}
        )
        copies.queue_copy(kore.services, target, request, by="u1")
    with kore.db.reading() as session:
        entries = session.query(Audit).filter_by(course_id=target).order_by(Audit.id)
        found = [entry.message for entry in entries if entry.message]
    assert [entry.id for entry in found][-3:] == [
        "audit.copy",
        "audit.copy_some",
        "audit.copy_all",
    ]
    assert found[-3].params["names"] == names[:2]
    assert found[-2].params["n"] == 6
