"""Archives: what passes means one thing to everyone, and whatever is hostile is refused."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kore.service.errors import KoreError, TooLarge
from kore.service.exchange.archives import Inspector
from kore.service.settings import Limits
from kore.shared.messages import Message, message
from kore.shared.names import find_fault, find_path_fault, twin_key
from tests.support.archives import END, block, extended, member, padded, tar_of

LIMITS = Limits(file=10_000, submission=200_000, files=50)

PARTS = (
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda part: not find_fault(part))
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=2000), min_size=1, max_size=8).filter(
    lambda files: _no_twins(list(files))
)


def _no_twins(paths: list[str]) -> bool:
    known: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            part = "/".join(parts[:depth])
            kind = part + ("" if depth == len(parts) else "/")
            if known.setdefault(twin_key(part), kind) != kind:
                return False
    return True


def inspect(archive: bytes, limits: Limits = LIMITS, *, step: int = 700):
    inspector = Inspector(limits)
    for start in range(0, len(archive), step):
        inspector.feed(archive[start : start + step])
    return inspector.finish()


def refusal(archive: bytes, limits: Limits = LIMITS) -> KoreError:
    with pytest.raises(KoreError) as caught:
        inspect(archive, limits)
    return caught.value


def fault(error: KoreError) -> Message:
    """Return what is wrong with the name that an archive was refused for."""
    found = error.message.params["reason"].params["fault"]
    assert isinstance(found, Message)
    return found


def read(archive: bytes) -> dict[str, bytes | None]:
    """What Python's own reader finds: contents, None for folders."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {}
        for info in tar:
            assert info.isreg() or info.isdir()
            assert not info.issparse()
            content = tar.extractfile(info) if info.isreg() else None
            found[info.name] = content.read() if content else None
        return found


@given(files=FILES, step=st.integers(1, 3000), mtime=st.floats(-(10**9), 10**10))
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@pytest.mark.slow
def test_what_tarfile_packs_passes_in_pieces_of_any_size(files, step, mtime):
    """Any tree of plain files passes, however it is cut, and only its content counts."""
    first = inspect(tar_of(files, mtime=mtime), step=step)
    second = inspect(tar_of(files))
    assert first == second
    assert first.files == len(files)
    assert first.notebooks == sorted(path for path in files if path.endswith(".ipynb"))


@given(files=FILES, data=st.data())
@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@pytest.mark.slow
def test_accepted_archives_mean_the_same_to_another_reader(files, data):
    """After any damage: what still passes is read by tarfile as the same files, or refused."""
    archive = bytearray(tar_of(files, mtime=1.5))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(archive) - 1))
        archive[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        head = data.draw(st.integers(0, len(archive) // 512 - 1)) * 512
        archive[head + 148 : head + 156] = b" " * 8
        archive[head + 148 : head + 156] = b"%06o\0 " % sum(archive[head : head + 512])
    try:
        found = inspect(bytes(archive))
    except KoreError:
        return
    seen = read(bytes(archive))
    assert not [fault for path in seen if (fault := find_path_fault(path))]
    assert sum(content is not None for content in seen.values()) == found.files
    assert sorted(p for p, c in seen.items() if c is not None and p.endswith(".ipynb")) == (
        found.notebooks
    )


@given(files=FILES, data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@pytest.mark.slow
def test_a_cut_archive_is_refused(files, data):
    """An archive that ends before its end is refused wherever it is cut."""
    archive = tar_of(files)
    end = len(archive.rstrip(b"\0"))
    cut = data.draw(st.integers(0, end))
    assert refusal(archive[:cut]).code == "bad_archive"


@given(noise=st.binary(max_size=5000))
def test_noise_is_refused(noise):
    """Bytes that are not an archive are refused with a message, never with a crash."""
    assert refusal(noise).code == "bad_archive"


@pytest.mark.parametrize(
    "name",
    [
        b"../evil",
        b"a/../../evil",
        b"/etc/passwd",
        b"//evil",
        b".",
        b"./a",
        b"a/./b",
        b"a//b",
        b"a/",
        b"",
        b"a\\b",
        b"a\nb",
        b"a\x7fb",
        b"\xff\xfe",
        "a\u202egnp.exe".encode(),
        "a\u2028b".encode(),
        "e\u0301.ipynb".encode(),
        b"/".join([b"d"] * 33),
    ],
)
def test_names_that_lead_elsewhere_or_deceive_are_refused(name):
    """Such names are refused, in the header and in an extended one."""
    assert refusal(member(name) + END).code == "bad_archive"
    long = extended({"path": name}) + member(b"plain") + END
    assert refusal(long).code == "bad_archive"


def test_the_length_of_names_is_limited():
    """A part of 255 bytes passes, one of 256 does not; nor does a path over 1024."""
    assert inspect(tar_of({"a" * 255: b""})).files == 1
    assert fault(refusal(tar_of({"a" * 256: b""}))) == message("name_fault.bytes", n=255)
    long = tar_of({"/".join(["a" * 200] * 6): b""})
    assert fault(refusal(long)) == message("name_fault.bytes", n=1024)


@pytest.mark.parametrize(
    "kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"S", b"L", b"K", b"g", b"\0", b"A"]
)
def test_only_files_and_folders_are_accepted(kind):
    """Links, devices, pipes, sparse files and other writers' extensions are refused."""
    assert refusal(block(b"a", kind=kind) + END).code == "bad_archive"


@pytest.mark.parametrize(
    "archive",
    [
        block(b"a", linkname=b"/etc/passwd") + END,
        block(b"a/", kind=b"5", size=512) + padded(b"x") + END,
        block(b"a", size=b"\x80" + bytes(10) + b"\x05") + END,
        block(b"a", size=b"-0000000001\0") + END,
        block(b"a", mode=b"zz\0\0\0\0\0\0") + END,
        block(b"a", mtime=b"\xff" * 12) + END,
        block(b"a", devmajor=b"x" * 8) + END,
        block(b"a", magic=b"ustar  \0") + END,
        block(b"a\0b") + END,
        extended({"GNU.sparse.realsize": b"10737418240"}) + member() + END,
        extended({"GNU.sparse.map": b"0,1"}) + member() + END,
        extended({"size": b"10737418240"}) + member() + END,
        extended({"linkpath": b"/etc/passwd"}) + member() + END,
        extended({"hdrcharset": b"BINARY"}) + member() + END,
        extended({"mtime": b"inf"}) + member() + END,
        extended({"mtime": b"nan"}) + member() + END,
        extended({"path": b""}) + member() + END,
        extended({"path": b"a\0b"}) + member() + END,
        extended({"path": b"\xff"}) + member() + END,
        extended({"path": b"a"}) + extended({"path": b"b"}) + member() + END,
        extended({"path": b"a"}) + END,
        extended({}, raw=b"99999 path=a\n") + member() + END,
        extended({}, raw=b"10 path=a\n10 path=b\n") + member() + END,
        extended({}, raw=b"0 path=a\n") + member() + END,
        extended({}, raw=b"8 path=a\n") + member() + END,
        tar_of({"a" * 150: b"x"}, kind=tarfile.GNU_FORMAT),
        member() + bytes(512) + member() + END,
        b"",
        END,
        tar_of({"folder/": b""}),
    ],
)
def test_ambiguous_headers_are_refused(archive):
    """Headers that two readers could understand differently."""
    assert refusal(archive).code == "bad_archive"


@pytest.mark.parametrize(
    "files",
    [
        [b"a", b"a"],
        [b"a", b"A"],
        [b"stra\xc3\x9fe", b"STRASSE"],
        [b"a/b", b"A/c"],
        [b"a", b"a/b"],
        [b"a/b", b"a"],
    ],
)
def test_names_that_look_the_same_are_refused(files):
    """Names that some file system takes for the same are refused, those of folders too."""
    assert refusal(b"".join(member(name) for name in files) + END).code == "bad_archive"


def test_a_folder_may_come_after_its_files():
    """The order of a folder and what is in it does not matter."""
    archive = member(b"a/b") + block(b"a/", kind=b"5") + member(b"a/c") + END
    assert inspect(archive).files == 2


def test_a_file_over_the_limit_is_refused_by_its_header():
    """A header that promises ten gigabytes is refused before any of them comes."""
    inspector = Inspector(LIMITS)
    with pytest.raises(TooLarge) as caught:
        inspector.feed(block(b"zeros.bin", size=10 * 2**30))
    assert caught.value.message == message(
        "too_large.archive_file", file="zeros.bin", limit=LIMITS.file
    )
    assert "administrator" in caught.value.hint


def test_each_limit_is_named():
    """Each limit has its own message, and work just below it passes."""
    limits = Limits(file=1000, submission=10_240, files=3)
    assert inspect(tar_of({"a": bytes(1000)}), limits).files == 1
    assert "KORE_LIMIT_FILE)" in refusal(tar_of({"a": bytes(1001)}), limits).hint
    many = tar_of(dict.fromkeys("abcd", b""))
    assert "KORE_LIMIT_FILES" in refusal(many, limits).hint
    whole = tar_of({name: bytes(1000) for name in "abc"}) + bytes(512)
    assert "KORE_LIMIT_SUBMISSION" in refusal(whole, limits).hint


def test_memory_stays_small():
    """Endless zeros, headers, names and extended headers are refused in little memory."""
    limits = Limits(file=2**40, submission=2**40, files=2000)

    def many(piece: bytes) -> None:
        inspector = Inspector(limits)
        for _ in range(10**6):
            inspector.feed(piece)

    tracemalloc.start()
    for piece in (
        bytes(256 * 1024),
        block(b"x", kind=b"x", size=2**30),
        extended({"comment": b"x" * 15_000}),
        extended({"path": b"x" * 200}) * 2,
        END + b"x",
    ):
        with pytest.raises(KoreError):
            many(piece)
    inspector = Inspector(limits)
    inspector.feed(block(b"big", size=2**33))
    zeros = bytes(2**20)
    for _ in range(64):
        inspector.feed(zeros)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_data_after_the_end_is_refused():
    """What a reader would not see is not stored."""
    archive = tar_of({"a": b"x"})
    assert inspect(archive + bytes(1024)).files == 1
    assert refusal(archive + b"hidden").code == "bad_archive"
    assert refusal(archive + bytes(100_000)).code == "bad_archive"
