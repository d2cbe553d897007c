"""Archives of backups: one that Kore made, and everything that must be refused."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kore.service.backups import manifest
from kore.service.backups.archives import BackupInspector, _make_plain_header
from kore.service.errors import Invalid, KoreError
from kore.service.settings import Limits
from tests.support.archives import pack_backup


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
    checker, start = BackupInspector(Limits()), 0
    for end in [*sorted(cuts or []), len(archive)]:
        checker.feed(archive[start:end])
        start = max(start, end)
    return checker.finish()


GOOD = {"course/source/ps1/a.ipynb": b"{}", "course/gradebook.db": b"x" * 700}


BAD = {
    "climbs": (raw(("course/../../evil", tarfile.REGTYPE, b"x")), "name_fault.elsewhere"),
    "absolute": (raw(("/etc/passwd", tarfile.REGTYPE, b"x")), "name_fault.root"),
    "symbolic link": (raw(("course/a", tarfile.SYMTYPE, b""), linkname="/etc"), "archive.link"),
    "hard link": (raw(("course/a", tarfile.LNKTYPE, b""), linkname="b"), "archive.link"),
    "device": (raw(("course/a", tarfile.CHRTYPE, b"")), "archive.device"),
    "pipe": (raw(("course/a", tarfile.FIFOTYPE, b"")), "archive.pipe"),
    "no manifest": (raw(("course/a", tarfile.REGTYPE, b"x")), "archive.no_manifest"),
    "only case": (pack_backup({"course/a": b"", "course/A": b""}), "archive.twins"),
    "only form": (pack_backup({"course/\u00fc": b"", "course/u\u0308": b""}), "archive.twins"),
    "twice": (pack_backup({"course/a": b""}) [:512] * 2, "archive.twice"),
    "newline": (pack_backup({"course/a\nb": b""}), "name_fault.characters"),
    "backslash": (pack_backup({"course\\a": b""}), "name_fault.characters"),
    "later version": (pack_backup(GOOD, version=2), "backup_newer"),
    "another form": (pack_backup(GOOD, form="something"), "backup.none"),
    "no json": (raw(("manifest.json", tarfile.REGTYPE, b"{")), "backup.manifest_unreadable"),
    "deep json": (
        raw(("manifest.json", tarfile.REGTYPE, b"[" * 10**5)),
        "backup.manifest_unreadable",
    ),
    "not a course": (pack_backup(GOOD, course="../../x"), "backup.manifest_damaged"),
    "unknown field": (pack_backup(GOOD, surprise=1), "backup.manifest_damaged"),
    "wrong checksum": (
        pack_backup(GOOD, files=lambda files: [{**f, "sha256": "0" * 64} for f in files]),
        "backup.file_changed",
    ),
    "wrong place": (
        pack_backup(GOOD, files=lambda files: [{**f, "at": f["at"] + 512} for f in files]),
        "backup.repacked",
    ),
    "named, not there": (
        pack_backup(GOOD, files=lambda files: [*files, {**files[0], "path": "course/b"}]),
        "backup.file_missing",
    ),
    "there, not named": (pack_backup(GOOD, files=lambda files: files[1:]), "backup.file_surplus"),
    "folder not named": (pack_backup(GOOD, ("course/x",), folders=[]), "backup.file_surplus"),
    "elsewhere": (pack_backup({**GOOD, "homes/u1/a": b""}), "backup.file_foreign"),
    "more than sources": (pack_backup(GOOD, contents="sources"), "backup.not_only_sources"),
    "cut off": (pack_backup(GOOD)[:-700], "archive.ends_early"),
    "goes on": (pack_backup(GOOD) + b"x" * 512, "archive.goes_on"),
    "after the manifest": (
        pack_backup(GOOD)[:-1024] + raw(("course/late", tarfile.REGTYPE, b"x")),
        "archive.after_manifest",
    ),
    "no archive": (b"PDF" * 1000, "archive.not_tar"),
    "compressed": (gzip.compress(pack_backup(GOOD)), "archive.compressed"),
    "empty": (b"", "archive.ends_early"),
    "zeros": (b"\0" * 10**6, "archive.goes_on"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_archive_is_refused_with_its_reason(what):
    """Each is refused as it comes in, with a message that names what is wrong."""
    archive, expected = BAD[what]
    with pytest.raises(Invalid) as raised:
        check(archive)
    said = raised.value.message
    reason = said.params.get("reason", said)
    assert reason.params.get("fault", reason).id == expected


def test_a_good_archive_passes_in_pieces_of_any_size():
    """The archive that the bad ones are made from is good itself."""
    archive = pack_backup(GOOD, ("course/source/empty",))
    checked = check(archive, list(range(1, len(archive), 37)))
    assert checked.manifest.title == "Algebra"
    text = archive[checked.manifest_at :].rstrip(b"\0")
    assert manifest.parse_manifest(text) == checked.manifest


PATHS = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=4
).map("/".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(PATHS, st.binary(max_size=1500), max_size=5), st.randoms())
def test_accepted_archives_contain_what_they_list(files, chance):
    """An archive with any names is refused, or has each file where its manifest says."""
    archive = pack_backup({f"course/{path}": content for path, content in files.items()})
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
def test_a_damaged_archive_is_never_accepted_as_another(seed, number):
    """Flipped bytes end in a KoreError, or in an archive with the very same files."""
    chance, archive = random.Random(seed), bytearray(pack_backup(GOOD))
    for _ in range(number):
        archive[chance.randrange(len(archive))] ^= 1 << chance.randrange(8)
    try:
        checked = check(bytes(archive))
    except KoreError:
        return
    found = {file.path: archive[file.at : file.at + file.size] for file in checked.manifest.files}
    assert found == GOOD


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=100),
    st.integers(0, 2**33 - 1),
    st.integers(0, 2**33 - 1),
    st.sampled_from([(tarfile.REGTYPE, 0o644), (tarfile.REGTYPE, 0o755), (tarfile.DIRTYPE, 0o755)]),
)
def test_short_headers_are_those_of_tarfile(path, size, mtime, kind):
    """The fast path gives the same bytes as the standard library."""
    path = path if kind[0] == tarfile.REGTYPE else path[:99] + "/"
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = kind
    entry.size, entry.mtime = size, mtime
    theirs = entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
    assert _make_plain_header(path, kind[0], size, kind[1], mtime) == theirs
