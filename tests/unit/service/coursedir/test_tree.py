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

from kore.service.coursedir.tree import STAGING, Tree
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


def paths(tree: Tree, below: str = "") -> list[str]:
    return [entry.path for entry in tree.walk(below)]


def refusal(call) -> KoreError:
    with pytest.raises(KoreError) as caught:
        call()
    return caught.value


def test_walk_is_sorted_and_tells_kinds_and_sizes(root):
    """A walk names each folder before what is in it, with sizes of files."""
    with Tree(root) as tree:
        found = list(tree.walk("source"))
    assert [(e.path, e.is_dir, e.size, e.odd) for e in found] == [
        ("source/ps1", True, 0, False),
        ("source/ps1/data", True, 0, False),
        ("source/ps1/data/a.csv", False, 3, False),
        ("source/ps1/p1.ipynb", False, 2, False),
    ]


def test_what_is_odd_is_told_and_never_opened(root):
    """Links, pipes, sockets and names that are no text are odd, and opening them is refused."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(root / "sock"))
    (root / os.fsdecode(b"\xff")).write_text("?")
    with Tree(root) as tree:
        odd = {entry.path for entry in tree.walk() if entry.odd}
        assert odd == {"link", "loop", "pipe", "sock", os.fsdecode(b"\xff")}
        for name in ("link", "loop", "pipe", "sock", "source"):
            assert refusal(lambda name=name: tree.open(name)).code == "odd_file"
        assert refusal(lambda: tree.open("loop/source/ps1/p1.ipynb")).code == "odd_file"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a//b", "a/./b", "..", "a\0b"])
def test_paths_that_lead_elsewhere_are_no_paths(root, path):
    """No call takes a path with ``..``, an empty part or a root."""
    with Tree(root) as tree:
        for call in (tree.open, tree.make, tree.remove, tree.exists):
            with pytest.raises(ValueError, match="not a relative path"):
                call(path)
        with pytest.raises(ValueError, match="not a relative path"):
            tree.write(path, [b"x"])


def test_nothing_is_made_through_a_link(root):
    """A link in the place of a folder stops writes, moves and copies; nothing is made behind."""
    (root / "release").symlink_to(root.parent / "elsewhere")
    with Tree(root) as tree:
        for call in (
            lambda: tree.write("release/x", [b"mine"]),
            lambda: tree.make("release/new"),
            lambda: tree.rename("source/ps1", "release/ps1"),
            lambda: tree.copy_to("source", tree, "release/copy"),
            lambda: tree.remove("release/x"),
        ):
            assert refusal(call).code == "odd_file"
        tree.remove("release")
    assert [p.name for p in (root.parent / "elsewhere").iterdir()] == ["x"]
    assert (root.parent / "elsewhere" / "x").read_text() == "theirs"
    assert not (root / "release").is_symlink()


def test_a_root_that_is_a_link_is_refused(root):
    """The root itself is not followed either."""
    (root.parent / "other").symlink_to(root)
    assert refusal(lambda: Tree(root.parent / "other").__enter__()).code == "odd_file"


def test_a_link_is_replaced_by_what_is_written_in_its_place(root):
    """A write takes the place of a link; the file that it named stays as it was."""
    (root / "grade").symlink_to(root.parent / "secret")
    with Tree(root) as tree:
        assert tree.write("grade", [b"ab", b"c"]) == 3
        assert tree.read_bytes("grade", most=3) == b"abc"
        assert refusal(lambda: tree.read_bytes("grade", most=2)).code == "too_large"
    assert (root.parent / "secret").read_text() == "Kore's own"


def test_a_write_that_fails_leaves_what_was_there(root):
    """Chunks that break off leave the old file and no other."""

    def broken():
        yield b"half"
        raise OSError("no room")

    with Tree(root) as tree:
        with pytest.raises(OSError, match="no room"):
            tree.write("source/ps1/p1.ipynb", broken())
        assert tree.read_bytes("source/ps1/p1.ipynb", most=9) == b"{}"
        assert paths(tree, "source/ps1") == [
            "source/ps1/data",
            "source/ps1/data/a.csv",
            "source/ps1/p1.ipynb",
        ]


def test_renames_go_over_nothing_and_swaps_exchange(root):
    """A rename never goes over what is there; a swap changes both places at one moment."""
    with Tree(root) as tree:
        tree.make("source/ps2")
        with pytest.raises(FileExistsError):
            tree.rename("source/ps2", "source/ps1")
        tree.swap("source/ps1", "source/ps2")
        assert tree.entries("source/ps1") == []
        tree.rename("source/ps2", "deep/er/ps3")
        assert tree.exists("deep/er/ps3/data/a.csv")


def test_copies_leave_odd_things_out(root):
    """A copy has plain files only, the executable bit kept, and is refused if told to take odd."""
    (root / "source" / "ps1" / "run.sh").write_text("#!")
    (root / "source" / "ps1" / "run.sh").chmod(0o755)
    (root / "source" / "ps1" / "link").symlink_to("/etc/passwd")
    other = root.parent / "copy"
    other.mkdir()
    with Tree(root) as tree, Tree(other) as target:
        assert tree.copy_to("source/ps1", target, "here") == 2 + 3 + 2
        assert paths(target, "here") == [
            "here/data",
            "here/data/a.csv",
            "here/p1.ipynb",
            "here/run.sh",
        ]
        assert os.access(other / "here" / "run.sh", os.X_OK)
        call = lambda: tree.copy_to("source", target, "all", skip=lambda _: False)  # noqa: E731
        assert refusal(call).code == "odd_file"


def test_folders_are_removed_however_deep(root):
    """A nest deeper than a path may be long, or calls may go, is walked in part and removed."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("nest-nest-nest", dir_fd=here)
        inner = os.open("nest-nest-nest", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    with Tree(root) as tree:
        assert any(entry.odd for entry in tree.walk("nest-nest-nest"))
        tree.remove("nest-nest-nest")
        assert not tree.exists("nest-nest-nest")
        tree.remove(STAGING)
        assert [entry.path for entry in tree.entries()] == ["source"]
        assert refusal(lambda: list(tree.walk(most=2))).code == "too_many"


def test_whoever_swaps_a_folder_for_a_link_meanwhile_gains_nothing(root):
    """While an account swaps a folder and a link all the time, no read or write gets out."""
    outside = root.parent / "elsewhere"
    (root / "folder").mkdir()
    (root / "folder" / "x").write_text("inside")
    (root / "link").symlink_to(outside)
    ended = threading.Event()

    def swap():
        with Tree(root) as tree:
            while not ended.is_set():
                tree.swap("folder", "link")

    thread = threading.Thread(target=swap)
    thread.start()
    read = set()
    try:
        with Tree(root) as tree:
            for _ in range(2000):
                try:
                    read.add(tree.read_bytes("folder/x", most=100))
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
    with Tree(root) as tree:
        for path, content in files.items():
            tree.write(f"top/{path}", [content], sync=False)
        if files:
            got = {
                e.path.removeprefix("top/"): tree.read_bytes(e.path, most=10**6)
                for e in tree.walk("top")
                if not e.is_dir
            }
            assert got == files
        tree.remove("top")
        assert not tree.exists("top")
    shutil.rmtree(root)
