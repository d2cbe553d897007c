"""Unpacking what was made to do harm, and packing what changes meanwhile."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile

import pytest

from ananke.archive.packing import list_databases, pack
from ananke.archive.unpacking import unpack
from ananke.errors import AnankeError, Exit


def member(name, *, kind=tarfile.REGTYPE, data=b"", link="", mode=0o600):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(data), link, mode
    info.uid = info.gid = os.getuid()
    return info, data


def archive(*members, manifest=True, compress="w:gz"):
    """Return an archive of members, with a manifest that fits them."""
    files = {
        info.name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for info, data in members
        if info.isreg()
    }
    about = {"format": 1, "definition": "x", "made_at": "now", "files": files}
    if manifest is not True:
        about = manifest
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=compress, format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
        if about is not None:
            info, data = member("manifest.json", data=json.dumps(about).encode())
            tar.addfile(info, io.BytesIO(data))
    made.seek(0)
    return made


LINK, HARD, FOLDER = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize(
    "members",
    [
        [member("../evil", data=b"x")],
        [member("/evil", data=b"x")],
        [member("a/../../evil", data=b"x")],
        [member("a//evil", data=b"x")],
        [member("./evil", data=b"x")],
        [member("a", kind=LINK, link="/OUT"), member("a/evil", data=b"x")],
        [member("a", kind=LINK, link="../OUT"), member("a/evil", data=b"x")],
        [member("a", kind=LINK, link="/OUT/evil"), member("a", data=b"x")],
        [member("a", kind=LINK, link="/OUT"), member("a", kind=FOLDER)],
        [member("a", kind=HARD, link="/etc/passwd")],
        [member("a", kind=HARD, link="../OUT/evil")],
        [member("a", kind=LINK, link="/OUT/there"), member("b", kind=HARD, link="a")],
        [member("a", kind=tarfile.CHRTYPE)],
        [member("a", kind=tarfile.FIFOTYPE)],
        [member("a", data=b"1"), member("a", data=b"2")],
        [member("a", data=b"1"), member("a/b", data=b"2")],
        [member("manifest.json", data=b"{}"), member("a", data=b"1")],
    ],
)
def test_tricks_are_refused(tmp_path, members):
    """No member leads out of the folder, through a link, over another one, or to a device."""
    out = tmp_path / "OUT"
    out.mkdir()
    (out / "there").write_text("mine")
    for info, _ in members:
        info.linkname = info.linkname.replace("/OUT", str(out)) if info.linkname else ""
    with pytest.raises(AnankeError) as caught:
        unpack(archive(*members), tmp_path / "in" / "x")
    assert caught.value.code is Exit.CHECKSUM
    assert not list((tmp_path / "in").iterdir())
    assert [path.name for path in out.iterdir()] == ["there"]
    assert (out / "there").stat().st_nlink == 1


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        [],
        {"format": 2, "files": {}},
        {"format": 1},
        {"format": 1, "files": {"a": {"sha256": "0" * 64}}},
        {"format": 1, "files": {}},
        {"format": 1, "files": {"a": 1}},
        {"format": 1, "files": []},
    ],
)
def test_manifests_that_do_not_fit(tmp_path, manifest):
    """Without a manifest that matches all files nothing is unpacked."""
    with pytest.raises(AnankeError) as caught:
        unpack(archive(member("a", data=b"1"), manifest=manifest), tmp_path / "x")
    assert caught.value.code is Exit.CHECKSUM
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"no archive at all", b"\x1f\x8b" + b"\0" * 50])
def test_what_is_no_archive(tmp_path, data):
    """Any other file is refused with a message."""
    with pytest.raises(AnankeError) as caught:
        unpack(io.BytesIO(data), tmp_path / "x")
    assert caught.value.code is Exit.CHECKSUM


def test_damage_beside_the_files_is_found(tmp_path):
    """Damage in the padding after a file, which has no checksum, is found by gzip's own."""
    plain = bytearray(gzip.decompress(archive(member("a", data=b"1")).getvalue()))
    checksum = gzip.compress(plain)[-8:]
    plain[1000] ^= 1
    damaged = gzip.compress(plain)[:-8] + checksum
    with pytest.raises(AnankeError) as caught:
        unpack(io.BytesIO(damaged), tmp_path / "x")
    assert caught.value.code is Exit.CHECKSUM
    assert not list(tmp_path.iterdir())


def test_not_compressed(tmp_path):
    """An archive that is not compressed is refused."""
    with pytest.raises(AnankeError):
        unpack(archive(member("a", data=b"1"), compress="w"), tmp_path / "x")


def test_modes_without_setuid(tmp_path):
    """Files lose their setuid bit."""
    unpack(
        archive(member("d", kind=FOLDER, mode=0o2755), member("d/a", mode=0o4755)), tmp_path / "x"
    )
    assert (tmp_path / "x" / "d" / "a").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "x" / "d").stat().st_mode & 0o7777 == 0o2755


def test_a_home_that_became_a_link_is_not_followed(tmp_path):
    """If a person replaces a folder with a link, the target of the link is not packed."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("the administrator's own")
    folder = tmp_path / "bio"
    (folder / "runtime").mkdir(parents=True)
    (folder / "config.py").write_text("")
    (folder / "runtime" / "dyn_home").symlink_to(secret)
    (folder / "runtime" / "home").mkdir()
    (folder / "runtime" / "home" / "c-0123456789abcdef").symlink_to(secret)
    (folder / "runtime" / "hub").mkdir()
    (folder / "runtime" / "hub" / "jupyterhub.sqlite").symlink_to(secret / "key")
    assert list_databases(folder) == []
    pack(folder, tmp_path / "b.tar.gz", {})
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        names = tar.getnames()
        assert tar.getmember("runtime/dyn_home").issym()
    assert not [name for name in names if name.endswith("/key")]


def test_unusual_names_are_restored(tmp_path):
    """Names with line breaks, or with bytes that are not text, are kept exactly."""
    folder = tmp_path / "bio"
    home = folder / "runtime" / "dyn_home"
    home.mkdir(parents=True)
    (folder / "config.py").write_text("")
    names = [b"two\nlines", b"\xff\xfe", "ä".encode(), b"x" * 200]
    for name in names:
        (home / os.fsdecode(name)).write_bytes(name)
    pack(folder, tmp_path / "b.tar.gz", {})
    with (tmp_path / "b.tar.gz").open("rb") as file:
        unpack(file, tmp_path / "again")
    again = tmp_path / "again" / "runtime" / "dyn_home"
    assert sorted(os.fsencode(path.name) for path in again.iterdir()) == sorted(names)
    assert (again / os.fsdecode(b"\xff\xfe")).read_bytes() == b"\xff\xfe"


def test_deep_folders(tmp_path):
    """Folders nested deeper than the maximum length of a path are packed and restored."""
    folder = tmp_path / "bio"
    (folder / "runtime" / "dyn_home").mkdir(parents=True)
    (folder / "config.py").write_text("")
    here = os.open(folder / "runtime" / "dyn_home", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    about = pack(folder, tmp_path / "b.tar.gz", {})
    assert about["folders"] >= 300
    with (tmp_path / "b.tar.gz").open("rb") as file:
        unpack(file, tmp_path / "again")
