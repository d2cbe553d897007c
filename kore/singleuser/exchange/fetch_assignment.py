"""Fetches an assignment: ``nbgrader fetch_assignment``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeFetchAssignment as ABCExchangeFetchAssignment

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.base import Exchange, temporary_path
from kore.singleuser.exchange.client import Released


class ExchangeFetchAssignment(Exchange, ABCExchangeFetchAssignment):  # type: ignore[misc]
    """Writes an assignment to a person's files; never overwrites a file."""

    released: Released
    dest_path: Path

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeFetch" in cfg:
            self.log.warning("Use ExchangeFetchAssignment in config, not ExchangeFetch.")
            cfg.ExchangeFetchAssignment.merge(cfg.ExchangeFetch)
            del cfg.ExchangeFetch
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Find the assignment among those that the course has released."""
        self.released = self.find_released(self.coursedir.assignment_id)

    def init_dest(self) -> None:
        """Refuse if there is a copy already, unless missing files are to be replaced."""
        self.dest_path = self.assignment_folder(self.course, self.released.name)
        if self.dest_path.is_dir() and not self.replace_missing_files:
            relative = os.path.relpath(self.dest_path, self.assignment_dir)
            self.fail(f"You already have a copy of the assignment in this directory: {relative}")

    def copy_files(self) -> None:
        """Fetch the assignment; it appears only when it is complete."""
        self.log.info("Destination: %s", self.dest_path)
        with temporary_path(self.dest_path) as new:
            self.kore.fetch(
                self.course, self.released, lambda stream: archives.unpack_again(stream, new)
            )
            _remove_ignored(new, shutil.ignore_patterns(*self.coursedir.ignore))
            if self.dest_path.is_dir():
                self._add_missing(new, self.dest_path)
            else:
                new.rename(self.dest_path)
        self.log.info("Fetched as: %s %s", self.course, self.released.name)

    def _add_missing(self, new: Path, existing: Path) -> None:
        for path in sorted(new.iterdir()):
            target = existing / path.name
            if not os.path.lexists(target):
                action = "Creating missing directory" if path.is_dir() else "Replacing missing file"
                self.log.warning("%s '%s'", action, os.path.relpath(target))
                path.rename(target)
            elif path.is_dir() and target.is_dir():
                self._add_missing(path, target)


def _remove_ignored(folder: Path, ignore: archives.Ignore) -> None:
    """Remove files that are never fetched."""
    for parent, folders, files in os.walk(folder):
        for name in ignore(parent, folders + files):
            path = Path(parent) / name
            if name in folders:
                folders.remove(name)
                shutil.rmtree(path)
            else:
                path.unlink()
