"""Backups over their routes: downloaded, uploaded, and deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kore.service.backups import repository
from tests.support.archives import pack_backup, tar_of
from tests.support.course import FullCourse
from tests.support.kore import make_kore

GOOD = {"course/source/ps1/a.ipynb": b"{}"}


@pytest.fixture
def here(tmp_path):
    """A course with everything in it."""
    with make_kore(tmp_path) as kore:
        yield FullCourse(kore)


def upload(course: FullCourse, archive: bytes, *, by: str = "", **more):
    client = course.kore.client_for(by or course.teacher, via="token")
    return client.post(
        f"/backups/upload?course={course.course}",
        data=archive,
        content_type="application/octet-stream",
        **more,
    )


def test_a_downloaded_backup_can_be_uploaded_again(here: FullCourse):
    """It is stored unchanged and listed, and the audit has each step."""
    made = here.back_up()
    client = here.kore.client_for(here.teacher, via="token")
    answer = client.get(f"/backups/{made.id}/archive")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert client.open(f"/backups/{made.id}", method="DELETE").status_code == 204
    assert here.has_no_backup()
    uploaded = upload(here, answer.data)
    assert uploaded.status_code == 201, uploaded.text
    listed = client.get("/backups", query_string={"course": here.course}).json
    [one] = listed["backups"]
    assert uploaded.json == one
    assert (one["origin"], one["course"], one["sha256"]) == (
        "uploaded",
        made.source_course,
        made.sha256,
    )
    assert (one["mine"], listed["used"]) == (True, one["size"])
    entries = client.get(f"/courses/{here.course}/audit").json["entries"]
    assert [entry["message"]["code"] for entry in entries[:3]] == [
        "audit.backup_upload",
        "audit.backup_delete",
        "audit.backup_download.everything",
    ]


def test_a_backup_that_is_deleted_meanwhile_is_unknown_and_a_lost_file_an_error(
    here: FullCourse, monkeypatch
):
    """Deleted between finding and opening it: 404. Its file lost: 500."""
    kept, made = repository.open_store, here.back_up()
    client = here.kore.client_for(here.teacher, via="token")

    def deleted_first(services):
        monkeypatch.setattr(repository, "open_store", kept)
        repository.delete_backup(services, made.id, by=here.teacher)
        return kept(services)

    monkeypatch.setattr(repository, "open_store", deleted_first)
    answer = client.get(f"/backups/{made.id}/archive")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "backup_unknown")

    lost = here.back_up()
    [archive] = (here.services.settings.state_dir / "backups").rglob(f"*{lost.id}*")
    archive.unlink()
    answer = client.get(f"/backups/{lost.id}/archive")
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "backup_missing")


@pytest.mark.parametrize(
    "archive",
    [
        tar_of({"course/../../evil": b"x"}),
        pack_backup(GOOD, files=lambda files: [{**f, "sha256": "0" * 64} for f in files]),
        b"PDF" * 1000,
        bytes(10**6),
    ],
    ids=["climbs", "wrong checksum", "no archive", "zeros"],
)
def test_a_refused_upload_leaves_nothing(here: FullCourse, archive):
    """Refused uploads are answered in the envelope, recorded as refused, and leave no file."""
    answer = upload(here, archive)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad_backup")
    assert here.has_no_backup()
    client = here.kore.client_for(here.teacher, via="token")
    newest = client.get(f"/courses/{here.course}/audit").json["entries"][0]
    assert (newest["action"], newest["outcome"]) == ("backup.upload", "refused")


def test_an_upload_over_the_quota(here: FullCourse):
    """Refused before anything of it is read if the length is known, and after some otherwise."""
    archive = pack_backup({"course/zeros": bytes(300_000)})
    limits = replace(here.services.settings.limits, backups=100_000)
    services = replace(here.services, settings=replace(here.services.settings, limits=limits))
    here.kore.app.extensions["kore-services"] = here.kore.services = services
    unknown: dict[str, Any] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    ways: list[dict[str, Any]] = [{}, {"environ_overrides": unknown}]
    for more in ways:
        answer = upload(here, archive, **more)
        assert answer.status_code == 507, answer.text
        assert answer.json["error"]["code"] == "quota.backups"
        assert here.has_no_backup()


def test_only_its_owner_deletes_a_backup(here: FullCourse):
    """Another teacher sees and fetches it, but only the owner and a hub admin delete it."""
    backup = here.back_up()
    _, other = here.kore.launch("8", "Instructor")
    here.kore.make_admin("u5")
    path = f"/backups/{backup.id}"
    client = here.kore.client_for(other, via="token")
    assert client.get(f"{path}/archive").status_code == 200
    refused = client.open(path, method="DELETE")
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "owner_only")
    assert here.kore.client_for("u5", via="token").open(path, method="DELETE").status_code == 204
