"""Files that are written once."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

from kore.shared.files import write_once


def test_one_of_many_writers_wins(tmp_path):
    """Of twenty writers one writes the file, completely, and leaves nothing else behind."""
    path = tmp_path / "secret"
    contents = [bytes([65 + number]) * 10_000 for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        written = list(pool.map(lambda content: write_once(path, content), contents))
    assert sum(written) == 1
    assert path.read_bytes() == contents[written.index(True)]
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_kept(tmp_path):
    """A file that exists keeps its content; a new one has the given mode."""
    path = tmp_path / "secret"
    assert write_once(path, b"first", mode=0o640)
    assert not write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
