"""The demo's state directory: private, and locked by one demo at a time."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ananke.demo import state
from ananke.demo.state import StateDirectory, get_default_state_dir, read_addresses_in_use
from ananke.errors import AnankeError, Exit


def test_a_new_directory_is_private(tmp_path):
    """Nobody else can open the directory or its parts: tokens and work are in there."""
    with StateDirectory(tmp_path / "deep" / "er") as opened:
        for path in (opened.path, opened.hub, opened.homes, opened.logs):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_opening_again_keeps_everything(tmp_path):
    """A second run finds the first one's files."""
    with StateDirectory(tmp_path / "s") as opened:
        (opened.hub / "jupyterhub.sqlite").write_text("kept")
    with StateDirectory(tmp_path / "s") as opened:
        assert (opened.hub / "jupyterhub.sqlite").read_text() == "kept"


def test_one_demo_at_a_time(tmp_path):
    """A directory in use is refused, naming the process; afterwards it is free."""
    with StateDirectory(tmp_path / "s"):
        with pytest.raises(AnankeError, match=f"process {os.getpid()}") as caught:
            StateDirectory(tmp_path / "s")
        assert caught.value.code is Exit.STATE_IN_USE
        assert "--state-dir" in caught.value.hint
    StateDirectory(tmp_path / "s").close()


def refused(path: Path, message: str) -> None:
    with pytest.raises(AnankeError, match=message) as caught:
        StateDirectory(path)
    assert caught.value.code is Exit.STATE_UNUSABLE
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert "--state-dir" in caught.value.hint


def test_a_foreign_directory_is_left_alone(tmp_path):
    """A directory with other files is refused and not touched."""
    (tmp_path / "thesis.tex").write_text("")
    tmp_path.chmod(0o755)
    refused(tmp_path, "holds files that do not belong to a demo")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_is_no_directory(tmp_path):
    """A file is reported as a file, and a path below it as unusable."""
    (tmp_path / "f").write_text("")
    refused(tmp_path / "f", "is a file")
    refused(tmp_path / "f" / "s", "cannot be used")


def test_another_users_directory(tmp_path, monkeypatch):
    """Another user's directory is refused, even for root: its owner could not use it again."""
    StateDirectory(tmp_path / "s").close()
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    refused(tmp_path / "s", "belongs to another user")


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EROFS, "read-only file system"),
        (errno.EACCES, "is not writable for you"),
        (errno.ENOSPC, "cannot be used"),
    ],
)
def test_a_directory_that_cannot_be_written(tmp_path, monkeypatch, number, message):
    """Read-only, forbidden and full file systems have different messages."""

    def refuse(*_args, **_more):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    refused(tmp_path, message)


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_default_directory_without_xdg(monkeypatch, value):
    """Without a proper XDG_STATE_HOME it is ~/.local/state/ananke/demo."""
    monkeypatch.setenv("XDG_STATE_HOME", value)
    monkeypatch.setenv("HOME", "/home/someone")
    assert get_default_state_dir() == Path("/home/someone/.local/state/ananke/demo")


def test_default_directory_with_xdg(monkeypatch):
    """XDG_STATE_HOME is honoured."""
    monkeypatch.setenv("XDG_STATE_HOME", "/var/tmp/state")
    assert get_default_state_dir() == Path("/var/tmp/state/ananke/demo")


def test_long_log_is_rotated(tmp_path, monkeypatch):
    """A long log is renamed at the next start, so that logs do not grow forever."""
    monkeypatch.setattr(state, "_MAX_LOG_BYTES", 10)
    with StateDirectory(tmp_path / "s") as opened:
        opened.rotate_log("hub").write_text("x" * 11)
        assert not opened.rotate_log("hub").exists()
        assert (opened.logs / "hub.log.1").read_text() == "x" * 11


def test_addresses_of_the_demo_that_runs(tmp_path):
    """A second demo reads where the first one is, as long as that one runs."""
    path = tmp_path / "s"
    assert read_addresses_in_use(path) == []
    with StateDirectory(path) as opened:
        assert read_addresses_in_use(path) == []
        opened.write_addresses(["http://127.0.0.1:9090"])
        assert read_addresses_in_use(path) == ["http://127.0.0.1:9090"]
    assert read_addresses_in_use(path) == []
    (path / "addresses.json").write_text('["left by a killed demo"]')
    assert read_addresses_in_use(path) == []
