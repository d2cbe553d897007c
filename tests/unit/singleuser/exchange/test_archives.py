"""Unpacking archives from untrusted senders."""

from __future__ import annotations

import io
import tarfile

import pytest

from kore.singleuser.exchange import archives


def _archive(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/../../x", "a//x", "..", "a/./x", "a\\x", "x" * 300]
)
def test_paths_outside_the_folder_are_refused(tmp_path, name):
    """An archive is unpacked below its folder or not at all."""
    with pytest.raises(archives.ArchiveError):
        archives.unpack(_archive((name, tarfile.REGTYPE, b"x")), tmp_path / "new")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_special_files_are_refused(tmp_path, kind):
    """Only regular files and folders are unpacked."""
    with pytest.raises(archives.ArchiveError):
        archives.unpack(_archive(("x", kind, b"")), tmp_path / "new")


def test_duplicate_names_and_truncated_archives_are_refused(tmp_path):
    """A second file with the same name is refused, and an archive that ends early."""
    twice = _archive(("x", tarfile.REGTYPE, b"1"), ("x", tarfile.REGTYPE, b"2"))
    with pytest.raises(archives.ArchiveError):
        archives.unpack(twice, tmp_path / "new")
    whole = _archive(("x", tarfile.REGTYPE, b"1" * 5000)).getvalue()
    with pytest.raises(archives.ArchiveError):
        archives.unpack(io.BytesIO(whole[:2000]), tmp_path / "newer")
