"""Feedback among a student's files: which version is there, and how it is replaced."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kore.singleuser.exchange.client import Submission

_VERSION = ".version"
"""File next to the feedback: the checksum of the archive that it came in."""


def page_path(folder: Path, notebook: str) -> Path:
    """Return the file of the feedback on a notebook."""
    return folder / f"{notebook}.html"


def is_current(folder: Path, submission: Submission) -> bool:
    """Whether a folder has the feedback that Kore has now."""
    pages = (page_path(folder, notebook) for notebook in submission.graded_notebooks)
    return read_version(folder) == submission.feedback and any(path.is_file() for path in pages)


def read_version(folder: Path) -> str:
    """Return the checksum of the feedback in a folder; "" if unknown."""
    try:
        return (folder / _VERSION).read_text("ascii", "replace")
    except OSError:
        return ""


def move_pages(unpacked: Path, folder: Path, submission: Submission) -> None:
    """Move the pages of an unpacked archive to the folder; then record their version."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(unpacked.iterdir()):
        if path.suffix != ".html" or path.name.startswith(".") or not path.is_file():
            continue
        target = folder / path.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        os.replace(path, target)  # noqa: PTH105
    version = unpacked / _VERSION
    version.write_text(submission.feedback, "ascii")
    version.replace(folder / _VERSION)
