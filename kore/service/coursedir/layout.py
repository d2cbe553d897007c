"""What lies where in nbgrader's course directory. Paths are relative to its root."""

from __future__ import annotations

from pathlib import Path

SOURCE = "source"
RELEASE = "release"
SUBMITTED = "submitted"
AUTOGRADED = "autograded"
FEEDBACK = "feedback"
DERIVED = (RELEASE, SUBMITTED, AUTOGRADED, FEEDBACK)
"""What nbgrader makes of the sources and of students' work."""

GRADEBOOK = "gradebook.db"
GRADEBOOK_FILES = (GRADEBOOK, *(f"{GRADEBOOK}{end}" for end in ("-journal", "-wal", "-shm")))
"""The gradebook, and what SQLite keeps next to it while it is written."""
CONFIG = "nbgrader_config.py"
TIMESTAMP = "timestamp.txt"

STAGING = ".kore"
"""Where Kore prepares changes: below the root, so on the same file system."""
REPLACED = f"{STAGING}/replaced"
"""Where a copy keeps what it replaced, if that changed after its backup."""
UNFINISHED = f"{STAGING}-"
"""How the names of files begin that Kore has not written to the end."""


def is_unfinished(name: str) -> bool:
    """Whether a file of this name is one that Kore has not written to the end."""
    return name.startswith(UNFINISHED)


def gradebook_path(root: Path) -> Path:
    """Return where the gradebook of the course directory ``root`` is."""
    return root / GRADEBOOK


def source_path(assignment: str, path: str = "") -> str:
    """Return where an assignment's source is, or a file in it."""
    return f"{SOURCE}/{assignment}/{path}" if path else f"{SOURCE}/{assignment}"


def work_path(stage: str, student: str, assignment: str = "") -> str:
    """Return where a student's work is in a stage: SUBMITTED, AUTOGRADED or FEEDBACK."""
    return f"{stage}/{student}/{assignment}" if assignment else f"{stage}/{student}"
