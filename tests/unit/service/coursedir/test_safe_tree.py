"""Trees: whatever an account plants in its folder, Kore touches plain files below it only."""

from __future__ import annotations

import os
import shutil
import socket
import string
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kore.service.coursedir.layout import STAGING
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import KoreError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    (folder / "source" / "ps1").mkdir(parents=True)
    (folder / "source" / "ps1" / "p1.ipynb").write_text("{}")
    (folder / "source" / "ps1" / "data").mkdir()
    (folder / "source" / "ps1" / "data" / "a.csv").write_text("1,2")
    (tmp_path / "secret").write_text("Kore's own")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("theirs")
    return folder


def paths(tree: SafeTree, below: str = "") -> list[str]:
    return [entry.path for entry in tree.walk(below)]


def refusal(call) -> KoreError:
    with pytest.raises(KoreError) as caught:
        call()
    return caught.value


def test_walk_is_sorted_and_tells_kinds_and_sizes(root):
    """A walk names each folder before what is in it, with sizes of files."""
    with SafeTree(root) as tree:
        found = list(tree.walk("source"))
    assert [(e.path, e.is_dir, e.size, e.is_special) for e in found] == [
        ("source/ps1", True, 0, False),
        ("source/ps1/data", True, 0, False),
        ("source/ps1/data/a.csv", False, 3, False),
        ("source/ps1/p1.ipynb", False, 2, False),
    ]


def test_special_files_are_reported_and_never_opened(root):
    """Links, pipes, sockets and names that are not text; opening one is refused."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(root / "sock"))
    (root / os.fsdecode(b"\xff")).write_text("?")
    with SafeTree(root) as tree:
        special = {entry.path for entry in tree.walk() if entry.is_special}
        assert special == {"link", "loop", "pipe", "sock", os.fsdecode(b"\xff")}
        for name in ("link", "loop", "pipe", "sock", "source"):
            assert refusal(lambda name=name: tree.open(name)).message.id == "special_file"
        assert refusal(lambda: tree.open("loop/source/ps1/p1.ipynb")).message.id == "special_file"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a//b", "a/./b", "..", "a\0b"])
def test_paths_that_lead_elsewhere_are_no_paths(root, path):
    """No call takes a path with ``..``, an empty part or a root."""
    with SafeTree(root) as tree:
        for call in (tree.open, tree.make_folder, tree.remove, tree.exists):
            with pytest.raises(ValueError, match="not a relative path"):
                call(path)
        with pytest.raises(ValueError, match="not a relative path"):
            tree.write(path, [b"x"])


def test_nothing_is_made_through_a_link(root):
    """A link instead of a folder stops writes and moves; nothing is made where it leads."""
    (root / "release").symlink_to(root.parent / "elsewhere")
    with SafeTree(root) as tree:
        for call in (
            lambda: tree.write("release/x", [b"mine"]),
            lambda: tree.make_folder("release/new"),
            lambda: tree.rename("source/ps1", "release/ps1"),
            lambda: tree.remove("release/x"),
        ):
            assert refusal(call).message.id == "special_file"
        tree.remove("release")
    assert [p.name for p in (root.parent / "elsewhere").iterdir()] == ["x"]
    assert (root.parent / "elsewhere" / "x").read_text() == "theirs"
    assert not (root / "release").is_symlink()


def test_a_root_that_is_a_link_is_refused(root):
    """The root itself is not followed either."""
    (root.parent / "other").symlink_to(root)
    assert refusal(lambda: SafeTree(root.parent / "other").__enter__()).message.id == "special_file"


def test_a_link_is_replaced_by_what_is_written_in_its_place(root):
    """A write takes the place of a link; the file that it named stays as it was."""
    (root / "grade").symlink_to(root.parent / "secret")
    with SafeTree(root) as tree:
        assert tree.write("grade", [b"ab", b"c"]) == 3
        assert tree.read_bytes("grade", limit=3) == b"abc"
        assert refusal(lambda: tree.read_bytes("grade", limit=2)).message.id == "too_large.file"
    assert (root.parent / "secret").read_text() == "Kore's own"


def test_a_write_that_fails_leaves_what_was_there(root):
    """Chunks that break off leave the old file and no other."""

    def broken():
        yield b"half"
        raise OSError("no room")

    with SafeTree(root) as tree:
        with pytest.raises(OSError, match="no room"):
            tree.write("source/ps1/p1.ipynb", broken())
        assert tree.read_bytes("source/ps1/p1.ipynb", limit=9) == b"{}"
        assert paths(tree, "source/ps1") == [
            "source/ps1/data",
            "source/ps1/data/a.csv",
            "source/ps1/p1.ipynb",
        ]


def test_renames_go_over_nothing_and_swaps_exchange(root):
    """A rename never goes over what is there; a swap changes both places at one moment."""
    with SafeTree(root) as tree:
        tree.make_folder("source/ps2")
        with pytest.raises(FileExistsError):
            tree.rename("source/ps2", "source/ps1")
        tree.swap("source/ps1", "source/ps2")
        assert tree.list_folder("source/ps1") == []
        tree.rename("source/ps2", "deep/er/ps3")
        assert tree.exists("deep/er/ps3/data/a.csv")


def test_beginnings_are_those_of_plain_files_alone(root):
    """The first bytes of a file in each of some folders; links, pipes and the like are left out."""
    for name in ("ps2", "ps3", "ps4"):
        (root / "source" / name).mkdir()
    (root / "source" / "ps2" / "p1.ipynb").write_text("longer")
    (root / "source" / "ps3" / "p1.ipynb").symlink_to(root.parent / "secret")
    os.mkfifo(root / "source" / "ps4" / "p1.ipynb")
    (root / "source" / "link").symlink_to("ps1")
    with SafeTree(root) as tree:
        names = ["ps1", "ps2", "ps3", "ps4", "link", "gone"]
        found = tree.read_beginnings("source", names, "p1.ipynb", size=4)
        assert found == {"ps1": b"{}", "ps2": b"long"}
        assert tree.read_beginnings("nowhere", names, "p1.ipynb", size=4) == {}


def test_folders_are_removed_however_deep(root):
    """A nest deeper than a path may be long, or calls may go, is walked in part and removed."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("nest-nest-nest", dir_fd=here)
        inner = os.open("nest-nest-nest", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    with SafeTree(root) as tree:
        assert any(entry.is_special for entry in tree.walk("nest-nest-nest"))
        tree.remove("nest-nest-nest")
        assert not tree.exists("nest-nest-nest")
        tree.remove(STAGING)
        assert [entry.path for entry in tree.list_folder()] == ["source"]
        assert refusal(lambda: list(tree.walk(limit=2))).message.id == "too_many_files"


def test_swapping_a_folder_for_a_link_meanwhile_gains_nothing(root):
    """While an account swaps a folder and a link all the time, no read or write gets out."""
    outside = root.parent / "elsewhere"
    (root / "folder").mkdir()
    (root / "folder" / "x").write_text("inside")
    (root / "link").symlink_to(outside)
    ended = threading.Event()

    def swap():
        with SafeTree(root) as tree:
            while not ended.is_set():
                tree.swap("folder", "link")

    thread = threading.Thread(target=swap)
    thread.start()
    read = set()
    try:
        with SafeTree(root) as tree:
            for _ in range(2000):
                try:
                    read.add(tree.read_bytes("folder/x", limit=100))
                    tree.write("folder/y", [b"y"], sync=False)
                except (KoreError, FileNotFoundError):
                    continue
    finally:
        ended.set()
        thread.join()
    assert read == {b"inside"}
    assert [p.name for p in outside.iterdir()] == ["x"]


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)
FILES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.binary())


@given(files=FILES)
def test_what_is_written_is_read_walked_and_removed(tmp_path_factory, files):
    """Any tree of files comes back as it was written, and is gone when removed."""
    files = {p: c for p, c in files.items() if not any(o.startswith(p + "/") for o in files)}
    root = tmp_path_factory.mktemp("t")
    with SafeTree(root) as tree:
        for path, content in files.items():
            tree.write(f"top/{path}", [content], sync=False)
        if files:
            got = {
                e.path.removeprefix("top/"): tree.read_bytes(e.path, limit=10**6)
                for e in tree.walk("top")
                if not e.is_dir
            }
            assert got == files
        tree.remove("top")
        assert not tree.exists("top")
    shutil.rmtree(root)
