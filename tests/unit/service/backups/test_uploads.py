"""Archives from outside: a backup as it was made, and everything that must be refused."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kore.service.backups import manifest, repository
from kore.service.backups.archives import Checker, Packer, _plain_header
from kore.service.backups.manifest import Manifest
from kore.service.db.models import now
from kore.service.errors import KoreError
from kore.service.settings import Limits
from tests.support.keeping import KeptCourse
from tests.unit.service.backups.test_taking import nothing_kept

COURSE = "c-" + "1" * 16


def packed(content: dict[str, bytes], inner: tuple[str, ...] = (), /, **told) -> bytes:
    """Pack an archive as Kore does; ``told`` changes its manifest."""
    packer, pieces = Packer(), []
    for folder in inner:
        pieces += packer.folder(folder)
    for path, text in content.items():
        pieces += packer.file(path, len(text), [text])
    facts: dict[str, Any] = {
        "course": COURSE,
        "title": "Algebra",
        "contents": "everything",
        "taken_at": now(),
        "taken_by": "u1",
        "taken_by_name": "Tess",
        "ananke": "1",
        "nbgrader": "0.9",
        "assignments": 1,
        "students": 0,
        "folders": packer.folders,
        "files": packer.files,
    }
    manifest = Manifest(**facts).model_dump(mode="json")
    for key, value in told.items():
        manifest[key] = value(manifest[key]) if callable(value) else value
    pieces += packer.ending(json.dumps(manifest).encode())
    return b"".join(pieces)


def raw(*entries: tuple[str, bytes, bytes], linkname: str = "") -> bytes:
    """Pack an archive by hand, with a kind for each entry."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = kind, len(content), linkname
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def check(archive: bytes, cuts: list[int] | None = None):
    checker, start = Checker(Limits()), 0
    for end in [*sorted(cuts or []), len(archive)]:
        checker.feed(archive[start:end])
        start = max(start, end)
    return checker.finish()


GOOD = {"course/source/ps1/a.ipynb": b"{}", "course/gradebook.db": b"x" * 700}

BAD = {
    "climbs": (raw(("course/../../evil", tarfile.REGTYPE, b"x")), "leads elsewhere"),
    "absolute": (raw(("/etc/passwd", tarfile.REGTYPE, b"x")), "begins at the root"),
    "symbolic link": (raw(("course/a", tarfile.SYMTYPE, b""), linkname="/etc"), "is a link"),
    "hard link": (raw(("course/a", tarfile.LNKTYPE, b""), linkname="b"), "is a link"),
    "device": (raw(("course/a", tarfile.CHRTYPE, b"")), "is a device"),
    "pipe": (raw(("course/a", tarfile.FIFOTYPE, b"")), "is a pipe"),
    "no manifest": (raw(("course/a", tarfile.REGTYPE, b"x")), "no manifest"),
    "only case": (packed({"course/a": b"", "course/A": b""}), "have one name"),
    "only form": (packed({"course/\u00fc": b"", "course/u\u0308": b""}), "have one name"),
    "twice": (packed({"course/a": b""}) [:512] * 2, "is there twice"),
    "newline": (packed({"course/a\nb": b""}), "no name may have"),
    "backslash": (packed({"course\\a": b""}), "no name may have"),
    "later version": (packed(GOOD, version=2), "later version"),
    "another form": (packed(GOOD, form="something"), "not a backup of a course"),
    "no json": (raw(("manifest.json", tarfile.REGTYPE, b"{")), "cannot be read"),
    "deep json": (raw(("manifest.json", tarfile.REGTYPE, b"[" * 10**5)), "cannot be read"),
    "not a course": (packed(GOOD, course="../../x"), "damaged at"),
    "unknown field": (packed(GOOD, surprise=1), "damaged at"),
    "wrong checksum": (
        packed(GOOD, files=lambda files: [{**f, "sha256": "0" * 64} for f in files]),
        "is not what was put into",
    ),
    "wrong place": (
        packed(GOOD, files=lambda files: [{**f, "at": f["at"] + 512} for f in files]),
        "packed anew",
    ),
    "named, not there": (
        packed(GOOD, files=lambda files: [*files, {**files[0], "path": "course/b"}]),
        "is missing",
    ),
    "there, not named": (packed(GOOD, files=lambda files: files[1:]), "only"),
    "folder not named": (packed(GOOD, ("course/x",), folders=[]), "only"),
    "elsewhere": (packed({**GOOD, "homes/u1/a": b""}), "has no place"),
    "more than sources": (packed(GOOD, contents="sources"), "something else"),
    "cut off": (packed(GOOD)[:-700], "ends before its end"),
    "goes on": (packed(GOOD) + b"x" * 512, "goes on"),
    "after the manifest": (
        packed(GOOD)[:-1024] + raw(("course/late", tarfile.REGTYPE, b"x")),
        "after its manifest",
    ),
    "no archive": (b"PDF" * 1000, "not a tar archive"),
    "compressed": (gzip.compress(packed(GOOD)), "compressed"),
    "empty": (b"", "ends before its end"),
    "zeros": (b"\0" * 10**6, "no manifest|goes on"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_archive_is_refused_with_its_reason(what):
    """Each is refused as it comes in, in words that name what is wrong."""
    archive, words = BAD[what]
    with pytest.raises(KoreError, match=words) as raised:
        check(archive)
    assert raised.value.status == 422


def test_a_good_one_passes_in_pieces_of_any_size():
    """The fixture of all the bad ones is good itself."""
    archive = packed(GOOD, ("course/source/empty",))
    checked = check(archive, list(range(1, len(archive), 37)))
    assert checked.manifest.title == "Algebra"
    text = archive[checked.manifest_at :].rstrip(b"\0")
    assert manifest.parsed(text) == checked.manifest


PATHS = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=4
).map("/".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(PATHS, st.binary(max_size=1500), max_size=5), st.randoms())
def test_whatever_passes_holds_what_it_says(files, chance):
    """An archive of any names is refused by KoreError, or holds each file where it says."""
    archive = packed({f"course/{path}": content for path, content in files.items()})
    cuts = [chance.randrange(len(archive)) for _ in range(5)]
    try:
        checked = check(archive, cuts)
    except KoreError:
        return
    for file in checked.manifest.files:
        assert archive[file.at : file.at + file.size] == files[file.path[len("course/") :]]
        assert not file.path.startswith("/")
        assert ".." not in file.path.split("/")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_damaged_archive_never_passes_as_another(seed, number):
    """Flipped bytes end in a KoreError, or in an archive with the very same files."""
    chance, archive = random.Random(seed), bytearray(packed(GOOD))
    for _ in range(number):
        archive[chance.randrange(len(archive))] ^= 1 << chance.randrange(8)
    try:
        checked = check(bytes(archive))
    except KoreError:
        return
    found = {file.path: archive[file.at : file.at + file.size] for file in checked.manifest.files}
    assert found == GOOD


def upload(course: KeptCourse, archive: bytes, *, by: str = "", **more):
    client = course.kore.client_for(by or course.teacher, via="token")
    return client.post(
        f"/backups/upload?course={course.course}",
        data=archive,
        content_type="application/octet-stream",
        **more,
    )


def test_down_and_up_again(course: KeptCourse):
    """A downloaded backup is taken back as it is, by another teacher too, and listed."""
    made = course.back_up()
    client = course.kore.client_for(course.teacher, via="token")
    answer = client.get(f"/backups/{made.id}/archive")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert client.open(f"/backups/{made.id}", method="DELETE").status_code == 204
    assert nothing_kept(course)
    uploaded = upload(course, answer.data)
    assert uploaded.status_code == 201, uploaded.text
    listed = client.get("/backups", query_string={"course": course.course}).json
    [one] = listed["backups"]
    assert uploaded.json == one
    assert (one["origin"], one["course"], one["sha256"]) == (
        "uploaded",
        made.source_course,
        made.sha256,
    )
    assert (one["mine"], listed["used"]) == (True, one["size"])
    words = [e["words"] for e in client.get(f"/courses/{course.course}/audit").json["entries"]]
    assert words[0] == "Uploaded a backup"
    assert words[1].startswith("Deleted the backup of")
    assert words[2].startswith("Downloaded the backup of")


def test_a_backup_that_goes_while_it_is_opened_is_none_and_one_without_a_file_is_an_alarm(
    course: KeptCourse, monkeypatch
):
    """Deleted between the two looks: 404, as if it had been so before. A lost file: 500."""
    kept, made = repository.store, course.back_up()
    client = course.kore.client_for(course.teacher, via="token")

    def deleted_first(services):
        monkeypatch.setattr(repository, "store", kept)
        repository.delete(services, made.id, by=course.teacher)
        return kept(services)

    monkeypatch.setattr(repository, "store", deleted_first)
    answer = client.get(f"/backups/{made.id}/archive")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "backup_unknown")

    lost = course.back_up()
    [archive] = (course.services.settings.state_dir / "backups").rglob(f"*{lost.id}*")
    archive.unlink()
    answer = client.get(f"/backups/{lost.id}/archive")
    assert (answer.status_code, answer.json["error"]["code"]) == (500, "backup_missing")


@pytest.mark.parametrize("what", ["climbs", "wrong checksum", "no archive", "zeros"])
def test_what_is_refused_leaves_nothing(here: KeptCourse, what):
    """Refused uploads are told in the envelope, noted as refused, and leave no file."""
    answer = upload(here, BAD[what][0])
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad_backup")
    assert nothing_kept(here)
    client = here.kore.client_for(here.teacher, via="token")
    newest = client.get(f"/courses/{here.course}/audit").json["entries"][0]
    assert (newest["action"], newest["outcome"]) == ("backup.upload", "refused")


def test_an_upload_over_the_quota(here: KeptCourse):
    """Told before anything of it is read where the length is known, and after some otherwise."""
    archive = packed({"course/zeros": bytes(300_000)})
    limits = replace(here.services.settings.limits, backups=100_000)
    services = replace(here.services, settings=replace(here.services.settings, limits=limits))
    here.kore.app.extensions["kore-services"] = here.kore.services = services
    unknown: dict[str, Any] = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    ways: list[dict[str, Any]] = [{}, {"environ_overrides": unknown}]
    for more in ways:
        answer = upload(here, archive, **more)
        assert answer.status_code == 413, answer.text
        assert answer.json["error"]["code"] == "backup_quota"
        assert nothing_kept(here)


def test_only_its_owner_deletes_a_backup(here: KeptCourse):
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


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=100),
    st.integers(0, 2**33 - 1),
    st.integers(0, 2**33 - 1),
    st.sampled_from([(tarfile.REGTYPE, 0o644), (tarfile.REGTYPE, 0o755), (tarfile.DIRTYPE, 0o755)]),
)
def test_short_headers_are_those_of_tarfile(path, size, mtime, kind):
    """The quick way to a header gives the very bytes of the standard library's."""
    path = path if kind[0] == tarfile.REGTYPE else path[:99] + "/"
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = kind
    entry.size, entry.mtime = size, mtime
    theirs = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
    assert _plain_header(path, kind[0], size, kind[1], mtime) == theirs
