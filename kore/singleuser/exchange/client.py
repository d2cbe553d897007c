"""Kore's exchange for programs: what is released and submitted in a course."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from kore.singleuser.exchange.transport import (
    QUICK_RETRY_SECONDS,
    RefusedError,
    Result,
    Transport,
)

__all__ = ["KoreClient", "RefusedError", "Released", "Submission"]


@dataclass(frozen=True, slots=True)
class Released:
    """A released assignment. ``notebooks`` are paths without ``.ipynb``."""

    name: str
    sha256: str
    notebooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """Work as it was submitted; ``received_at`` is Kore's clock, in UTC.

    ``feedback`` is the checksum of the feedback's archive, "" if there is none yet.
    """

    id: str
    user: str
    assignment: str
    received_at: datetime
    sha256: str
    notebooks: tuple[str, ...]
    feedback: str

    @property
    def graded_notebooks(self) -> list[str]:
        """The notebooks that nbgrader grades: those directly in the assignment's folder."""
        return [name for name in self.notebooks if "/" not in name]


class KoreClient:
    """Kore's exchange, on behalf of the owner of a hub token. All methods raise RefusedError."""

    def __init__(self, url: str, token: str) -> None:
        self._transport = Transport(url, token)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> KoreClient:
        """Return the client of the server that this program runs in; raise RefusedError."""
        url, token = environ.get("KORE_URL", ""), environ.get("JUPYTERHUB_API_TOKEN", "")
        if not url or not token:
            raise RefusedError(
                "The exchange works only on a server that the hub started: "
                "KORE_URL and JUPYTERHUB_API_TOKEN are not set."
            )
        return cls(url, token)

    def courses(self) -> list[str]:
        """Return the ids of the caller's courses."""
        answer = self._transport.get_json("/courses", retry_seconds=QUICK_RETRY_SECONDS)
        return sorted(str(course["id"]) for course in answer["courses"])

    def assignments(self, course: str) -> list[Released]:
        """Return the assignments released in a course, by name."""
        path = f"/exchange/{_quote(course)}/assignments"
        answer = self._transport.get_json(path, retry_seconds=QUICK_RETRY_SECONDS)
        found = [
            Released(
                name=str(entry["name"]),
                sha256=str(entry["sha256"]),
                notebooks=_notebooks(entry["notebooks"]),
            )
            for entry in answer["assignments"]
        ]
        return sorted(found, key=lambda released: released.name)

    def release(self, course: str, assignment: str, archive: Path) -> None:
        """Release an assignment, and replace one of the same name."""
        self._transport.upload("PUT", _assignment_path(course, assignment), archive)

    def fetch(
        self, course: str, released: Released, consume: Callable[[IO[bytes]], Result]
    ) -> Result:
        """Pass an assignment's archive to ``consume``, which may be called again."""
        path = _assignment_path(course, released.name)
        return self._transport.download(path, released.sha256, consume)

    def withdraw(self, course: str, assignment: str) -> None:
        """Undo the release of an assignment."""
        self._transport.delete(_assignment_path(course, assignment))

    def submit(self, course: str, assignment: str, archive: Path, key: str) -> Submission:
        """Submit work. The same ``key`` again gives the same submission."""
        path = f"{_assignment_path(course, assignment)}/submissions"
        headers = {"Idempotency-Key": key}
        return _submission(self._transport.upload("POST", path, archive, headers))

    def submissions(
        self,
        course: str,
        assignment: str = "",
        user: str = "",
        *,
        retry_seconds: float = QUICK_RETRY_SECONDS,
    ) -> list[Submission]:
        """Return the submissions that the caller may see, oldest first."""
        filters = {"assignment": assignment, "user": user}
        answer = self._transport.get_json(
            f"/exchange/{_quote(course)}/submissions",
            params={name: value for name, value in filters.items() if value},
            retry_seconds=retry_seconds,
        )
        found = [_submission(entry) for entry in answer["submissions"]]
        return sorted(found, key=lambda submission: (submission.received_at, submission.id))

    def collect(
        self, course: str, submission: Submission, consume: Callable[[IO[bytes]], Result]
    ) -> Result:
        """Pass a submission's archive to ``consume``, which may be called again."""
        path = _submission_path(course, submission)
        return self._transport.download(path, submission.sha256, consume)

    def release_feedback(self, course: str, submission: Submission, archive: Path) -> None:
        """Release the feedback on a submission to its student."""
        path = f"{_submission_path(course, submission)}/feedback"
        self._transport.upload("PUT", path, archive)

    def fetch_feedback(
        self, course: str, submission: Submission, consume: Callable[[IO[bytes]], Result]
    ) -> Result:
        """Pass the archive of a submission's feedback to ``consume``, perhaps repeatedly."""
        path = f"{_submission_path(course, submission)}/feedback"
        return self._transport.download(path, submission.feedback, consume)


def _quote(name: str) -> str:
    if name in {"", ".", ".."}:
        raise RefusedError(f"{name!r} is not the name of a course or an assignment.", "bad_name")
    return quote(name, safe="")


def _assignment_path(course: str, assignment: str) -> str:
    return f"/exchange/{_quote(course)}/assignments/{_quote(assignment)}"


def _submission_path(course: str, submission: Submission) -> str:
    return f"/exchange/{_quote(course)}/submissions/{_quote(submission.id)}"


def _submission(entry: Any) -> Submission:
    moment = datetime.fromisoformat(str(entry["received_at"]))
    return Submission(
        id=str(entry["id"]),
        user=str(entry["user"]),
        assignment=str(entry["assignment"]),
        received_at=moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC),
        sha256=str(entry["sha256"]),
        notebooks=_notebooks(entry["notebooks"]),
        feedback=str((entry["feedback"] or {}).get("sha256", "")),
    )


def _notebooks(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(str(name).removesuffix(".ipynb") for name in names))
