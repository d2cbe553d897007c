"""Releases an assignment: ``nbgrader release_assignment``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeReleaseAssignment as ABCExchangeReleaseAssignment

from kore.singleuser.exchange.base import Exchange


class ExchangeReleaseAssignment(Exchange, ABCExchangeReleaseAssignment):  # type: ignore[misc]
    """Sends the course's ``release`` folder of an assignment to Kore."""

    src_path: Path

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeRelease" in cfg:
            self.log.warning("Use ExchangeReleaseAssignment in config, not ExchangeRelease.")
            cfg.ExchangeReleaseAssignment.merge(cfg.ExchangeRelease)
            del cfg.ExchangeRelease
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Find the release version."""
        coursedir, name = self.coursedir, self.coursedir.assignment_id
        self.src_path = Path(coursedir.format_path(coursedir.release_directory, ".", name))
        if self.src_path.is_dir():
            return
        source = Path(coursedir.format_path(coursedir.source_directory, ".", name))
        if source.is_dir():
            self.fail(
                f"Assignment found in '{source}' but not '{self.src_path}', "
                "run `nbgrader generate_assignment` first."
            )
        others = self.src_path.parent.glob("*")
        self.fail_not_found(name, sorted(path.name for path in others if path.is_dir()))

    def init_dest(self) -> None:
        """Refuse if the assignment is released already, unless forced."""
        name = self.coursedir.assignment_id
        if any(released.name == name for released in self.kore.assignments(self.course)):
            if not self.force:
                self.fail(
                    f"Destination already exists, add --force to overwrite: {self.course} {name}"
                )
            self.log.info("Overwriting files: %s %s", self.course, name)

    def copy_files(self) -> None:
        """Pack the folder and send it."""
        self.log.info("Source: %s", self.src_path)
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "assignment.tar"
            with archive.open("wb") as file:
                self.pack(self.src_path, file)
            self.kore.release(self.course, self.coursedir.assignment_id, archive)
        self.log.info("Released as: %s %s", self.course, self.coursedir.assignment_id)
