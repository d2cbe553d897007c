"""Kore's exchange as a program asks for it: requests, retries, and refusals in words.

A request is repeated only where that is safe: reading, replacing, deleting, and handing in
with an ``Idempotency-Key``. Archives are streamed both ways, never held in memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

Result = TypeVar("Result")

_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 120.0
_BUSY = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_PATIENCE = 60.0
_SHORT_PATIENCE = 3.0
_LARGEST_ANSWER = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_JSON, _TAR = "application/json", "application/x-tar"


class RefusedError(Exception):
    """Kore said no, or could not be asked. The text is for the person who asked.

    ``code`` is Kore's stable word for it; ``unreachable`` where there was no answer.
    """

    def __init__(self, words: str, code: str = "unreachable") -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Released:
    """An assignment as it is handed out. ``notebooks`` are paths without ``.ipynb``."""

    name: str
    sha256: str
    notebooks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Submission:
    """Work as it was handed in; ``received_at`` is Kore's clock, in UTC.

    ``feedback`` is the checksum of the feedback's archive, empty where there is none yet.
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
        """The notebooks that nbgrader looks at: those right in the assignment's folder."""
        return [name for name in self.notebooks if "/" not in name]


class KoreClient:
    """Kore, asked by whoever owns the hub token in the environment."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # Neither a machine's web proxy nor a .netrc has a say in who calls whom.
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=4))
        self._session.headers.update({"Authorization": f"token {token}", "Accept": _JSON})

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> KoreClient:
        """Return the client of the server that this program runs in; raise RefusedError."""
        url, token = environ.get("KORE_URL", ""), environ.get("JUPYTERHUB_API_TOKEN", "")
        if not url or not token:
            raise RefusedError(
                "Work is handed out and in only on a server that the hub started: "
                "KORE_URL and JUPYTERHUB_API_TOKEN are not set."
            )
        return cls(url, token)

    def courses(self) -> list[str]:
        """Return the ids of the caller's courses."""
        answer = self._json("GET", "/courses", patience=_SHORT_PATIENCE)
        return sorted(str(course["id"]) for course in answer["courses"])

    def assignments(self, course: str) -> list[Released]:
        """Return what is handed out in a course, by name."""
        path = f"/exchange/{_part(course)}/assignments"
        answer = self._json("GET", path, patience=_SHORT_PATIENCE)
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
        """Hand an assignment out, in the place of one of the same name."""
        self._send("PUT", _assignment(course, assignment), archive)

    def fetch(self, course: str, released: Released, take: Callable[[IO[bytes]], Result]) -> Result:
        """Give an assignment's archive to ``take``, which may be called again."""
        return self._receive(_assignment(course, released.name), released.sha256, take)

    def withdraw(self, course: str, assignment: str) -> None:
        """Hand an assignment out no longer."""
        self._request("DELETE", _assignment(course, assignment), patience=_PATIENCE).close()

    def submit(self, course: str, assignment: str, archive: Path, key: str) -> Submission:
        """Hand work in. The same ``key`` again gives the same submission."""
        path = f"{_assignment(course, assignment)}/submissions"
        return _submission(self._send("POST", path, archive, {"Idempotency-Key": key}))

    def submissions(
        self, course: str, assignment: str = "", user: str = "", *, patient: bool = False
    ) -> list[Submission]:
        """Return what was handed in and the caller may see, oldest first."""
        wanted = {"assignment": assignment, "user": user}
        answer = self._json(
            "GET",
            f"/exchange/{_part(course)}/submissions",
            params={name: value for name, value in wanted.items() if value},
            patience=_PATIENCE if patient else _SHORT_PATIENCE,
        )
        found = [_submission(entry) for entry in answer["submissions"]]
        return sorted(found, key=lambda one: (one.received_at, one.id))

    def collect(
        self, course: str, submission: Submission, take: Callable[[IO[bytes]], Result]
    ) -> Result:
        """Give a submission's archive to ``take``, which may be called again."""
        return self._receive(_of(course, submission), submission.sha256, take)

    def release_feedback(self, course: str, submission: Submission, archive: Path) -> None:
        """Give feedback to the one who handed a submission in."""
        self._send("PUT", f"{_of(course, submission)}/feedback", archive)

    def fetch_feedback(
        self, course: str, submission: Submission, take: Callable[[IO[bytes]], Result]
    ) -> Result:
        """Give the archive of a submission's feedback to ``take``, which may be called again."""
        return self._receive(f"{_of(course, submission)}/feedback", submission.feedback, take)

    def _json(self, method: str, path: str, **more: Any) -> Any:
        return _decoded(self._request(method, path, **more))

    def _send(
        self, method: str, path: str, archive: Path, headers: Mapping[str, str] | None = None
    ) -> Any:
        return _decoded(
            self._request(
                method,
                path,
                patience=_PATIENCE,
                archive=archive,
                headers={"Content-Type": _TAR, **(headers or {})},
            )
        )

    def _receive(self, path: str, sha256: str, take: Callable[[IO[bytes]], Result]) -> Result:
        pauses = _Pauses(_PATIENCE)
        while True:
            response = self._request("GET", path, patience=_PATIENCE, headers={"Accept": _TAR})
            with response:
                stream = _Checked(response)
                try:
                    result = take(stream)  # type: ignore[arg-type]
                    stream.finish(sha256)
                except _BrokenError as error:
                    if not pauses.pause():
                        raise RefusedError(
                            f"What Kore sent did not arrive whole ({error}). Try again."
                        ) from error
                else:
                    return result

    def _request(
        self,
        method: str,
        path: str,
        *,
        patience: float,
        archive: Path | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> requests.Response:
        pauses = _Pauses(patience)
        while True:
            try:
                response = self._once(method, path, archive, headers, params)
            except requests.RequestException as error:
                if pauses.pause():
                    continue
                raise RefusedError(
                    f"Kore cannot be reached ({_reason(error)}). Nothing was changed as far "
                    "as is known; try again in a moment."
                ) from error
            if response.status_code < 300:  # noqa: PLR2004
                return response
            with response:
                refusal = _refusal(response)
                if response.status_code not in _BUSY or not pauses.pause(_retry_after(response)):
                    raise refusal

    def _once(
        self,
        method: str,
        path: str,
        archive: Path | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> requests.Response:
        def send(body: IO[bytes] | None) -> requests.Response:
            return self._session.request(
                method,
                self._url + path,
                data=body,
                headers=headers,
                params=params,
                stream=True,
                allow_redirects=False,
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
            )

        if archive is None:
            return send(None)
        with archive.open("rb") as body:
            return send(body)


class _BrokenError(Exception):
    """A download ended early or is not what was asked for."""


class _Checked:
    """A response's body as a file for reading, with its checksum kept."""

    def __init__(self, response: requests.Response) -> None:
        self._chunks: Iterable[bytes] = response.raw.stream(_CHUNK, decode_content=False)
        self._iterator = iter(self._chunks)
        self._rest = b""
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer than ``size`` only at the end."""
        parts, missing = [self._rest[:size]], size - len(self._rest[:size])
        self._rest = self._rest[size:]
        while missing > 0:
            chunk = self._next()
            if not chunk:
                break
            parts.append(chunk[:missing])
            self._rest, missing = chunk[missing:], missing - len(chunk[:missing])
        return b"".join(parts)

    def finish(self, sha256: str) -> None:
        """Read to the end; raise _BrokenError unless the whole is what it should be."""
        while self._next():
            pass
        if self._digest.hexdigest() != sha256:
            raise _BrokenError("its checksum is another")

    def _next(self) -> bytes:
        try:
            chunk = next(self._iterator, b"")
        except Exception as error:  # urllib3's and the socket's, of many kinds
            raise _BrokenError("the connection broke") from error
        self._digest.update(chunk)
        return chunk


class _Pauses:
    """Growing pauses with jitter, until patience is over."""

    def __init__(self, patience: float) -> None:
        self._deadline = time.monotonic() + patience
        self._next = _FIRST_PAUSE

    def pause(self, at_least: float = 0.0) -> bool:
        """Wait before another try; return False, at once, where there shall be none."""
        seconds = max(at_least, self._next * random.uniform(0.5, 1.0))  # noqa: S311
        if time.monotonic() + seconds > self._deadline:
            return False
        self._next = min(self._next * 2, _LONGEST_PAUSE)
        time.sleep(seconds)
        return True


def _part(name: str) -> str:
    if name in {"", ".", ".."}:
        raise RefusedError(f"{name!r} is no name of a course or an assignment.", "bad_name")
    return quote(name, safe="")


def _assignment(course: str, assignment: str) -> str:
    return f"/exchange/{_part(course)}/assignments/{_part(assignment)}"


def _of(course: str, submission: Submission) -> str:
    return f"/exchange/{_part(course)}/submissions/{_part(submission.id)}"


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


def _decoded(response: requests.Response) -> Any:
    with response:
        try:
            body = response.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
            if len(body) > _LARGEST_ANSWER:
                raise RefusedError("Kore's answer is larger than any that makes sense.")
            return _loads(body)
        except (requests.RequestException, OSError, ValueError) as error:
            raise RefusedError("Kore's answer could not be read. Try again.") from error


def _loads(body: bytes) -> Any:
    return json.loads(body) if body else None


def _refusal(response: requests.Response) -> RefusedError:
    try:
        error = _loads(response.raw.read(_CHUNK, decode_content=True))["error"]
        words = " ".join(filter(None, [error["message"], error.get("hint", "")]))
        return RefusedError(words, str(error["code"]))
    except Exception:  # noqa: BLE001  whatever a proxy may answer in Kore's place
        return RefusedError(f"Kore answered {response.status_code} {response.reason}.", "no_words")


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "it took too long"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
