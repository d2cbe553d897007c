"""The cache remembers names and summaries, and they are never older than the files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kore.service.coursedir import cache, notebooks
from kore.service.coursedir.cache import SourceCache
from tests.support import notebooks as written


def write(root: Path, assignment: str, name: str, points: float = 5, title: str = "Squares"):
    folder = root / "source" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    made = written.assignment(points=points)
    made["cells"][0]["source"] = f"# {title}"
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps(made))
    return path


@pytest.fixture
def settled(monkeypatch):
    """Rely on what was written just now: these tests know when it changes."""
    monkeypatch.setattr(cache, "_SETTLED_NS", -(10**9))


def test_what_a_course_holds(tmp_path):
    """Assignments and their notebooks, with sizes of all files, without what is hidden."""
    write(tmp_path, "ps1", "a", 5)
    write(tmp_path, "ps1", "b", 2)
    write(tmp_path, "ps2", "c", 1)
    (tmp_path / "source" / "ps1" / "data").mkdir()
    (tmp_path / "source" / "ps1" / "data" / "a.csv").write_text("1,2")
    (tmp_path / "source" / "ps1" / "data" / "inner.ipynb").write_text("no problem of its own")
    for hidden in (".kore", ".ipynb_checkpoints", "__pycache__"):
        (tmp_path / "source" / hidden).mkdir()
    (tmp_path / "source" / "header.ipynb").write_text("{}")
    found = SourceCache()
    assert found.list_assignments(tmp_path) == ["ps1", "ps2"]
    assert found.list_problems(tmp_path) == [("ps1", "a"), ("ps1", "b"), ("ps2", "c")]
    assert found.list_titles(tmp_path)["ps2", "c"] == "Squares"
    folder = found.find_assignment(tmp_path, "ps1")
    assert [book.name for book in folder.notebooks] == ["a", "b"]
    assert folder.points == 7
    files = [p for p in (tmp_path / "source" / "ps1").rglob("*") if p.is_file()]
    assert folder.size == sum(p.stat().st_size for p in files)
    assert folder.changed_at == pytest.approx(max(p.stat().st_mtime for p in files), abs=1)


def test_changes_are_seen_at_once(tmp_path):
    """What is written, renamed or removed between two looks is in the second, every time."""
    found = SourceCache()
    assert found.list_assignments(tmp_path) == []
    for number in range(50):
        path = write(tmp_path, "ps1", "a", title=f"Title {number:02}")
        assert found.list_titles(tmp_path) == {("ps1", "a"): f"Title {number:02}"}
        other = write(tmp_path, f"ps{number + 2}", "b")
        assert len(found.list_problems(tmp_path)) == 2
        other.rename(other.with_name("c.ipynb"))
        assert found.list_problems(tmp_path)[-1][1] == "c"
        other.with_name("c.ipynb").unlink()
        other.parent.rmdir()
        assert found.list_assignments(tmp_path) == ["ps1"]
    path.unlink()
    assert found.list_titles(tmp_path) == {}


def test_an_old_change_time_hides_nothing(tmp_path, settled):
    """Another content of the same size and with the old time of change is seen all the same."""
    path = write(tmp_path, "ps1", "a", title="One")
    found = SourceCache()
    before = path.stat()
    assert found.list_titles(tmp_path) == {("ps1", "a"): "One"}
    write(tmp_path, "ps1", "a", title="Two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert found.list_titles(tmp_path) == {("ps1", "a"): "Two"}
    assert found.find_notebook(tmp_path, "ps1", "a").summary.title == "Two"


def test_what_is_unchanged_is_not_read_again(tmp_path, settled, monkeypatch):
    """A second list reads no notebook."""
    write(tmp_path, "ps1", "a")
    found = SourceCache()
    first = found.find_assignment(tmp_path, "ps1"), found.list_titles(tmp_path)
    monkeypatch.setattr(notebooks, "summarize", lambda _: pytest.fail("it was read again"))
    assert (found.find_assignment(tmp_path, "ps1"), found.list_titles(tmp_path)) == first


def test_links_and_pipes_are_neither_followed_nor_opened(tmp_path):
    """What a course's account plants leads nowhere: not to others' files, not to a standstill."""
    root, other = tmp_path / "mine", tmp_path / "theirs"
    write(other, "secret", "exam")
    write(root, "ps1", "a")
    source = root / "source"
    (source / "stolen").symlink_to(other / "source" / "secret")
    (source / "ps1" / "exam.ipynb").symlink_to(other / "source" / "secret" / "exam.ipynb")
    os.mkfifo(source / "ps1" / "pipe.ipynb")
    os.mkfifo(source / "pipe")
    (source / os.fsdecode(b"\xff")).mkdir()
    found = SourceCache()
    assert found.list_problems(root) == [("ps1", "a")]
    assert len(found.find_assignment(root, "ps1").notebooks) == 1
    for assignment, name in [
        ("stolen", "exam"),
        ("ps1", "exam"),
        ("ps1", "pipe"),
        ("../../theirs/source/secret", "exam"),
        ("..", "exam"),
        ("ps1", "../stolen/exam"),
        ("", "a"),
        ("ps1", ""),
        ("ps1\0", "a"),
        ("\ud800", "a"),
    ]:
        assert found.find_notebook(root, assignment, name) is None
    for assignment in ("stolen", "..", "", "pipe", "\ud800", "a/b", "\0"):
        assert found.find_assignment(root, assignment) is None
    link = tmp_path / "linked"
    link.mkdir()
    (link / "source").symlink_to(other / "source")
    assert found.list_assignments(link) == []
    assert found.list_problems(link) == []
    assert found.list_titles(link) == {}


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path):
    """A huge notebook is not opened; it has no points, and neither has its assignment."""
    write(tmp_path, "ps1", "a")
    huge = tmp_path / "source" / "ps1" / "huge.ipynb"
    with huge.open("wb") as handle:
        handle.truncate(50 * 1024 * 1024)
    found = SourceCache()
    folder = found.find_assignment(tmp_path, "ps1")
    assert folder.points is None
    assert folder.notebooks[1].summary.fault == notebooks.too_large()
