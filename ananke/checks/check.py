"""One check of ``ananke doctor``, and the host that it looks at."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ananke.podman import Podman

State = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check; ``hint`` says what to do and is empty where all is well."""

    name: str
    state: State
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Host:
    """A machine as seen by the account that runs hubs on it.

    Files are read below ``root`` (another folder in tests), programs run through the gateway.
    """

    podman: Podman
    user: str
    uid: int
    root: Path = Path("/")
    data: Path = field(default_factory=Path.cwd)
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free

    def read_text(self, path: str) -> str | None:
        """Return the text of a file of the machine, or None if it cannot be read."""
        try:
            return (self.root / path).read_text("utf-8", "replace")
        except OSError:
            return None

    def has_file(self, *paths: str) -> bool:
        """Whether one of the files exists."""
        return any((self.root / path).exists() for path in paths)
