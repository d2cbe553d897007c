"""Fetches an assignment: ``nbgrader fetch_assignment``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeFetchAssignment as ABCExchangeFetchAssignment

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.base import Exchange, unfinished
from kore.singleuser.exchange.client import Released


class ExchangeFetchAssignment(Exchange, ABCExchangeFetchAssignment):  # type: ignore[misc]
    """Writes an assignment among a person's files; never over a file that is there."""

    released: Released
    dest_path: Path

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeFetch" in cfg:
            self.log.warning("Use ExchangeFetchAssignment in config, not ExchangeFetch.")
            cfg.ExchangeFetchAssignment.merge(cfg.ExchangeFetch)
            del cfg.ExchangeFetch
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Find it among what the course hands out."""
        name, handed_out = self.coursedir.assignment_id, self.kore.assignments(self.course)
        for released in handed_out:
            if released.name == name:
                self.released = released
                return
        self.not_found(name, [released.name for released in handed_out])

    def init_dest(self) -> None:
        """Refuse to touch a copy that is there, unless missing files are asked for."""
        self.dest_path = self.assignment_folder(self.course, self.released.name)
        if self.dest_path.is_dir() and not self.replace_missing_files:
            shown = os.path.relpath(self.dest_path, self.assignment_dir)
            self.fail(f"You already have a copy of the assignment in this directory: {shown}")

    def copy_files(self) -> None:
        """Fetch all of it; only then it appears."""
        self.log.info("Destination: %s", self.dest_path)
        with unfinished(self.dest_path) as fresh:
            self.kore.fetch(
                self.course, self.released, lambda stream: archives.unpack_anew(stream, fresh)
            )
            _drop(fresh, shutil.ignore_patterns(*self.coursedir.ignore))
            if self.dest_path.is_dir():
                self._add_missing(fresh, self.dest_path)
            else:
                fresh.rename(self.dest_path)
        self.log.info("Fetched as: %s %s", self.course, self.released.name)

    def _add_missing(self, fresh: Path, here: Path) -> None:
        for path in sorted(fresh.iterdir()):
            target = here / path.name
            if not os.path.lexists(target):
                what = "Creating missing directory" if path.is_dir() else "Replacing missing file"
                self.log.warning("%s '%s'", what, os.path.relpath(target))
                path.rename(target)
            elif path.is_dir() and target.is_dir():
                self._add_missing(path, target)


def _drop(folder: Path, ignore: archives.Ignore) -> None:
    """Remove what is never fetched."""
    for place, folders, files in os.walk(folder):
        for name in ignore(place, folders + files):
            path = Path(place) / name
            if name in folders:
                folders.remove(name)
                shutil.rmtree(path)
            else:
                path.unlink()
