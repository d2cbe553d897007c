"""Feedback among a student's files: which version is there, and how another takes its place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kore.singleuser.exchange.client import Submission

_VERSION = ".version"
"""File beside the feedback: the checksum of the archive that it came in."""


def page(folder: Path, notebook: str) -> Path:
    """Return where the feedback to a notebook is, or will be."""
    return folder / f"{notebook}.html"


def is_current(folder: Path, submission: Submission) -> bool:
    """Say whether a folder holds the feedback that Kore has now, all of it."""
    pages = (page(folder, notebook) for notebook in submission.graded_notebooks)
    return version(folder) == submission.feedback and any(path.is_file() for path in pages)


def version(folder: Path) -> str:
    """Return the checksum of the feedback that a folder holds; nothing where it is unknown."""
    try:
        return (folder / _VERSION).read_text("ascii", "replace")
    except OSError:
        return ""


def put(fresh: Path, folder: Path, submission: Submission) -> None:
    """Move the pages of an unpacked archive into the folder; then note their version."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(fresh.iterdir()):
        if path.suffix != ".html" or path.name.startswith(".") or not path.is_file():
            continue
        target = folder / path.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        os.replace(path, target)  # noqa: PTH105
    noted = fresh / _VERSION
    noted.write_text(submission.feedback, "ascii")
    noted.replace(folder / _VERSION)
