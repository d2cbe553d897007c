"""What a command changes on this host, done or only told (``--dry-run``)."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from ananke.errors import AnankeError, Exit

_FOLDER_MODE = 0o700
_FILE_MODE = 0o644


class Steps:
    """Each change, in words or as the command line that makes it."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.told: list[str] = []

    def command(self, argv: Sequence[str]) -> bool:
        """Note a command line; say whether it is to be run."""
        return self.note(shlex.join(argv))

    def note(self, words: str) -> bool:
        """Note a change; say whether it is to be made."""
        self.told.append(words)
        return not self.dry_run

    def folder(self, path: Path) -> None:
        """Make a folder that only its owner may open, unless it is there."""
        if path.is_dir():
            return
        if self.note(f"make the folder {path}"):
            try:
                path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            except OSError as error:
                raise _cannot("be made", path, error) from error

    def write(self, path: Path, text: str, *, mode: int = _FILE_MODE) -> None:
        """Write a file, whole or not at all."""
        if not self.note(f"write {path}"):
            return
        fresh = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            raise _cannot("be written", path, error) from error

    def unlink(self, path: Path) -> None:
        """Remove a file, if it is there."""
        if path.exists() and self.note(f"remove {path}"):
            try:
                path.unlink()
            except OSError as error:
                raise _cannot("be removed", path, error) from error


def _cannot(words: str, path: Path, error: OSError) -> AnankeError:
    return AnankeError(
        Exit.HOST,
        f"{path} cannot {words}: {error.strerror}.",
        "Check to whom the folder belongs, and that the disk is not full.",
    )
