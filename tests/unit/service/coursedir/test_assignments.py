"""Assignments of a course are its plain folders below ``source``."""

from __future__ import annotations

import os

import pytest

from kore.service.coursedir.assignments import find_assignments, list_assignments
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Conflict


def test_hidden_and_ignored_folders_and_files_are_no_assignments(tmp_path):
    """Programs leave folders there, and teachers files."""
    for name in ("ps2", "ps1", ".kore", ".ipynb_checkpoints", "__pycache__"):
        (tmp_path / "source" / name).mkdir(parents=True)
    (tmp_path / "source/header.ipynb").write_text("{}")
    assert find_assignments(tmp_path) == ["ps1", "ps2"]


def test_links_and_special_files_are_no_assignments(tmp_path):
    """A link among them is left out, like a pipe and a name that is not text."""
    (tmp_path / "secret").mkdir()
    source = tmp_path / "course/source"
    (source / "ps1").mkdir(parents=True)
    (source / "stolen").symlink_to(tmp_path / "secret")
    os.mkfifo(source / "pipe")
    (source / os.fsdecode(b"\xff")).mkdir()
    assert find_assignments(tmp_path / "course") == ["ps1"]


def test_a_source_that_is_a_link_is_not_followed(tmp_path):
    """No name in there is shown: an overview lists nothing, a copy is refused."""
    (tmp_path / "kore/private").mkdir(parents=True)
    (tmp_path / "course").mkdir()
    (tmp_path / "course/source").symlink_to(tmp_path / "kore")
    assert find_assignments(tmp_path / "course") == []
    with SafeTree(tmp_path / "course") as tree, pytest.raises(Conflict):
        list_assignments(tree)
