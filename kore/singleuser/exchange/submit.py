"""Submits an assignment: ``nbgrader submit``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nbgrader.exchange.abc import ExchangeSubmit as ABCExchangeSubmit
from nbgrader.utils import find_all_notebooks
from traitlets import Bool

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.base import TIMESTAMP, Exchange, temporary_path
from kore.singleuser.exchange.client import Released, Submission


class ExchangeSubmit(Exchange, ABCExchangeSubmit):  # type: ignore[misc]
    """Sends a copy of the assignment's folder to Kore, and keeps one locally."""

    add_random_string = Bool(
        True, help="No effect: Kore gives every submission an id that nobody can guess."
    ).tag(config=True)

    src_path: Path
    released: Released

    def init_src(self) -> None:
        """Find the assignment's folder among the person's files."""
        self.src_path = self.assignment_folder(self.course, self.coursedir.assignment_id)
        self.coursedir.assignment_id = self.src_path.name
        if not self.src_path.is_dir():
            others = self.src_path.parent.glob("*")
            self.fail_not_found(str(self.src_path), sorted(str(path) for path in others))

    def init_dest(self) -> None:
        """Find the assignment among the released ones; check the student's name."""
        student = self.coursedir.student_id
        if student not in {"*", "", self.me}:
            if "*" in student or "+" in student:
                self.fail(f"The student ID must not contain '*' or '+': {student}")
            self.fail(f"You are {self.me} in this hub and cannot submit as {student}.")
        self.released = self.find_released(self.coursedir.assignment_id)

    def copy_files(self) -> None:
        """Send the folder, and keep a copy of what was sent."""
        self.log.info("Source: %s", self.src_path)
        self._compare_names()
        folder = Path(self.cache) / self.course
        with _exclusive(folder), temporary_path(folder / "submission.tar") as archive:
            with archive.open("xb") as file:
                self.pack(self.src_path, file)
            submission = self._send(archive, folder / f".sending+{self.coursedir.assignment_id}")
            self._keep(archive, submission)
        self.timestamp = self.format_time(submission.received_at)
        self.log.info(
            "Submitted as: %s %s %s", self.course, self.coursedir.assignment_id, self.timestamp
        )

    def _send(self, archive: Path, record: Path) -> Submission:
        """Send with a key that is recorded first, so that a retry after a failure reuses it."""
        with archive.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        key = _recorded_key(record, sha256)
        if not key:
            key = uuid.uuid4().hex
            with temporary_path(record) as new:
                new.write_text(f"{sha256} {key}", "ascii")
                new.replace(record)
        submission = self.kore.submit(self.course, self.coursedir.assignment_id, archive, key)
        record.unlink(missing_ok=True)
        return submission

    def _keep(self, archive: Path, submission: Submission) -> None:
        copy = self.cached_copy(self.course, submission)
        if copy.exists():
            return
        with temporary_path(copy) as new, archive.open("rb") as file:
            archives.unpack(file, new)
            (new / TIMESTAMP).unlink(missing_ok=True)
            (new / TIMESTAMP).write_text(self.format_time(submission.received_at), "utf-8")
            new.rename(copy)

    def _compare_names(self) -> None:
        expected = {f"{name}.ipynb" for name in self.released.notebooks}
        submitted = set(find_all_notebooks(str(self.src_path)))
        missing = expected - submitted
        if submitted == expected:
            return
        difference = "Expected:\n\t{}\nSubmitted:\n\t{}".format(
            "\n\t".join(f"{n}: {'MISSING' if n in missing else 'FOUND'}" for n in sorted(expected)),
            "\n\t".join(f"{n}: {'OK' if n in expected else 'EXTRA'}" for n in sorted(submitted)),
        )
        name = self.coursedir.assignment_id
        if missing and self.strict:
            self.fail(
                f"Assignment {name} not submitted. "
                f"There are missing notebooks for the submission:\n{difference}"
            )
        self.log.warning(
            "Possible missing notebooks and/or extra notebooks submitted for assignment %s:\n%s",
            name,
            difference,
        )


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Lock the folder against another submission by the same person at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _recorded_key(record: Path, sha256: str) -> str:
    """Return the key with which the same files were sent without an answer; "" if none."""
    with suppress(OSError, ValueError):
        recorded, key = record.read_text("ascii").split()
        return key if recorded == sha256 else ""
    return ""
