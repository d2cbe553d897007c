"""A course in which work is handed out and in, by Kore's own functions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from kore.service.db.models import now
from kore.service.exchange import assignments, submissions
from kore.service.exchange.schemas import SubmissionInfo
from kore.service.services import Services
from tests.support.archives import tar_of
from tests.support.kore import Harness

TASK = {"squares.ipynb": b'{"cells": []}', "data/": b"", "data/numbers.csv": b"1,2\n"}


class Exchange:
    """One course: a teacher, students ``u2`` and ``u3``, and ``ps1``, which is released."""

    def __init__(self, kore: Harness) -> None:
        self.kore = kore
        self.course, self.teacher = kore.launch("1", "Instructor")
        for sub in ("2", "3"):
            kore.launch(sub)
        self.release("ps1")

    @property
    def services(self) -> Services:
        return self.kore.services

    def release(self, name: str, files: dict[str, bytes] | None = None) -> Any:
        return assignments.release_assignment(
            self.services, self.course, name, pieces(tar_of(files or TASK)), by=self.teacher
        )

    def submit(
        self,
        user: str = "u2",
        files: dict[str, bytes] | None = None,
        *,
        key: str | None = None,
        began: datetime | None = None,
    ) -> SubmissionInfo:
        return submissions.submit(
            self.services,
            self.course,
            "ps1",
            pieces(tar_of(files or {"squares.ipynb": b"{}"})),
            user=user,
            key=key,
            began=began or now(),
        )

    def feedback(self, submission: SubmissionInfo, files: dict[str, bytes] | None = None) -> Any:
        archive = tar_of(files or {"squares.html": b"<p>Good</p>"})
        return submissions.release_feedback(
            self.services, self.course, submission.id, pieces(archive), by=self.teacher
        )

    def listed(self, **what: str) -> list[SubmissionInfo]:
        return submissions.list_submissions(self.services, self.course, **what)

    def files(self) -> list[Path]:
        """Every archive in the store, finished or not."""
        return sorted(self.services.settings.exchange.rglob("*.tar"))


def pieces(archive: bytes, size: int = 4000) -> Iterator[bytes]:
    """Cut an archive as a socket does."""
    for start in range(0, len(archive), size):
        yield archive[start : start + size]
