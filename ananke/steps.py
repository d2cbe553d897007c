"""The changes that a command makes on this host: made, or only recorded (``--dry-run``)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from ananke.errors import AnankeError, Exit

_FOLDER_MODE = 0o700
_FILE_MODE = 0o644


class Steps:
    """Records each change, as a description or as the command line that makes it."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.recorded: list[str] = []

    def record_command(self, argv: Sequence[str]) -> bool:
        """Record a command line; return whether to run it."""
        return self.record(shlex.join(argv))

    def record(self, step: str) -> bool:
        """Record a change; return whether to make it."""
        self.recorded.append(step)
        return not self.dry_run

    def make_folder(self, path: Path) -> None:
        """Make a folder that only its owner can open, unless it exists."""
        if path.is_dir():
            return
        if self.record(f"make the folder {path}"):
            try:
                path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            except OSError as error:
                raise _make_file_error("make", path, error) from error

    def write_file(self, path: Path, text: str, *, mode: int = _FILE_MODE) -> None:
        """Write a file, completely or not at all."""
        if not self.record(f"write {path}"):
            return
        partial = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise _make_file_error("write", path, error) from error

    def remove_file(self, path: Path) -> None:
        """Remove a file if it exists."""
        if path.exists() and self.record(f"remove {path}"):
            try:
                path.unlink()
            except OSError as error:
                raise _make_file_error("remove", path, error) from error


def _make_file_error(verb: str, path: Path, error: OSError) -> AnankeError:
    return AnankeError(
        Exit.HOST,
        f"Could not {verb} {path}: {error.strerror}.",
        "Check who owns the folder, and that the disk is not full.",
    )
