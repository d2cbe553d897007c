"""Hands work in: ``nbgrader submit``."""

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
from kore.singleuser.exchange.base import TIMESTAMP, Exchange, unfinished
from kore.singleuser.exchange.client import Released, Submission


class ExchangeSubmit(Exchange, ABCExchangeSubmit):  # type: ignore[misc]
    """Sends a copy of the assignment's folder to Kore, and keeps one."""

    add_random_string = Bool(
        True, help="Of no effect: Kore gives each submission a name that cannot be guessed."
    ).tag(config=True)

    src_path: Path
    released: Released

    def init_src(self) -> None:
        """Find the assignment's folder among the person's files."""
        self.src_path = self.assignment_folder(self.course, self.coursedir.assignment_id)
        self.coursedir.assignment_id = self.src_path.name
        if not self.src_path.is_dir():
            there = self.src_path.parent.glob("*")
            self.not_found(str(self.src_path), sorted(str(path) for path in there))

    def init_dest(self) -> None:
        """Find the assignment among what the course hands out; check who hands in."""
        student = self.coursedir.student_id
        if student not in {"*", "", self.me}:
            if "*" in student or "+" in student:
                self.fail(f"The student ID should contain no '*' nor '+'; got {student}")
            self.fail(f"You are {self.me} in this hub, so work cannot be handed in as {student}.")
        name, handed_out = self.coursedir.assignment_id, self.kore.assignments(self.course)
        for released in handed_out:
            if released.name == name:
                self.released = released
                return
        self.not_found(name, [released.name for released in handed_out])

    def copy_files(self) -> None:
        """Send it, and keep a copy of what was sent."""
        self.log.info("Source: %s", self.src_path)
        self._compare_names()
        folder = Path(self.cache) / self.course
        with _alone(folder), unfinished(folder / "submission.tar") as archive:
            with archive.open("xb") as file:
                self.pack(self.src_path, file)
            submission = self._send(archive, folder / f".sending+{self.coursedir.assignment_id}")
            self._keep(archive, submission)
        self.timestamp = self.stamp(submission.received_at)
        self.log.info(
            "Submitted as: %s %s %s", self.course, self.coursedir.assignment_id, self.timestamp
        )

    def _send(self, archive: Path, note: Path) -> Submission:
        """Send under a key that is noted first: after a failure the next try is the same one."""
        with archive.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        key = _unfinished_key(note, sha256)
        if not key:
            key = uuid.uuid4().hex
            with unfinished(note) as fresh:
                fresh.write_text(f"{sha256} {key}", "ascii")
                fresh.replace(note)
        submission = self.kore.submit(self.course, self.coursedir.assignment_id, archive, key)
        note.unlink(missing_ok=True)
        return submission

    def _keep(self, archive: Path, submission: Submission) -> None:
        kept = self.kept_copy(self.course, submission)
        if kept.exists():
            return
        with unfinished(kept) as fresh, archive.open("rb") as file:
            archives.unpack(file, fresh)
            (fresh / TIMESTAMP).unlink(missing_ok=True)
            (fresh / TIMESTAMP).write_text(self.stamp(submission.received_at), "utf-8")
            fresh.rename(kept)

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
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against another submission of the same person at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unfinished_key(note: Path, sha256: str) -> str:
    """Return the key under which the same files were sent, if nobody knows whether they came."""
    with suppress(OSError, ValueError):
        noted, key = note.read_text("ascii").split()
        return key if noted == sha256 else ""
    return ""
