"""The base of the exchange's classes: options, where files are, and errors."""

from __future__ import annotations

import fnmatch
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from textwrap import dedent
from typing import IO, Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.abc import Exchange as ABCExchange
from nbgrader.utils import ignore_patterns, parse_utc
from rapidfuzz import fuzz
from traitlets import Bool, Unicode, default

from kore.singleuser.exchange import archives
from kore.singleuser.exchange.client import KoreClient, RefusedError, Released, Submission

TIMESTAMP = "timestamp.txt"
"""The file from which nbgrader reads the time of a submission."""

_KILOBYTE = 1000


class Exchange(ABCExchange):  # type: ignore[misc]
    """Has the options of nbgrader's own exchange, except its folder (``root``)."""

    cache = Unicode(
        help="Local cache directory for nbgrader submit and nbgrader list. "
        "Defaults to $JUPYTER_DATA_DIR/nbgrader_cache",
    ).tag(config=True)

    path_includes_course = Bool(
        False,
        help=dedent(
            """
            Whether assignments are fetched into, and submitted from, a folder of their
            course (./course123/ps1) instead of the current one (./ps1).
            """
        ),
    ).tag(config=True)

    _client: KoreClient | None = None

    @default("cache")  # type: ignore[untyped-decorator]
    def _cache_default(self) -> str:
        return str(Path(jupyter_data_dir()) / "nbgrader_cache")

    @default("timestamp_format")  # type: ignore[untyped-decorator]
    def _timestamp_format_default(self) -> str:
        # Used in names of folders: not every file system allows a colon.
        return "%Y-%m-%d %Hh%Mm%S.%fs %Z"

    @property
    def kore(self) -> KoreClient:
        """Kore, as the owner of this server."""
        if self._client is None:
            self._client = KoreClient.from_environment()
        return self._client

    @property
    def me(self) -> str:
        """The hub user whose server this is."""
        name = os.environ.get("JUPYTERHUB_USER", "")
        if not name:
            self.fail("JUPYTERHUB_USER is not set: the hub did not start this server.")
        return name

    @property
    def course(self) -> str:
        """The course's id; it must be known."""
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        return str(self.coursedir.course_id)

    def start(self) -> Any:
        """Run the command; turn Kore's refusals and failed file operations into ExchangeError."""
        try:
            return super().start()
        except (RefusedError, archives.ArchiveError) as error:
            self.log.debug("%s", type(error).__name__, exc_info=error)
            self.fail(str(error))
        except OSError as error:
            self.log.debug("%s", type(error).__name__, exc_info=error)
            self.fail(f"{error.filename or 'A file'}: {error.strerror or error}")

    def init_src(self) -> None:
        """Compute and check the source paths for the transfer."""

    def init_dest(self) -> None:
        """Compute and check the destination paths for the transfer."""

    def copy_files(self) -> None:
        """Actually do the file transfer."""

    def format_time(self, moment: datetime) -> str:
        """Return a time as it is written in files and names of folders."""
        return moment.astimezone(self._zone()).strftime(self.timestamp_format)

    def _zone(self) -> tzinfo:
        if self.timezone == "UTC":
            return UTC
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            self.fail(f"Invalid timezone: {self.timezone}")
            raise

    def assignment_folder(self, course: str, assignment: str) -> Path:
        """Return the folder of an assignment among a person's files."""
        root = Path(course, assignment) if self.path_includes_course else Path(assignment)
        return Path(os.path.abspath(Path(self.assignment_dir) / root))  # noqa: PTH100

    def feedback_folder(self, submission: Submission, course: str) -> Path:
        """Return the folder of the feedback on a submission."""
        folder = self.assignment_folder(course, submission.assignment)
        return folder / "feedback" / self.format_time(submission.received_at)

    def cached_copy(self, course: str, submission: Submission) -> Path:
        """Return the folder of a person's own copy of a submission."""
        name = "+".join(
            (submission.user, submission.assignment, self.format_time(submission.received_at))
        )
        return Path(self.cache) / course / name

    def cached_copies(self, course: str) -> dict[tuple[str, str, datetime], Path]:
        """Return a person's copies of their submissions, by student, assignment and time (UTC).

        Finds copies by nbgrader's own exchange, and with other time zones, as well.
        """
        found = {}
        for path in (Path(self.cache) / course).glob("[!.]*+*+*"):
            student, assignment, timestamp = path.name.split("+", 2)
            with suppress(ValueError):
                found[student, assignment, parse_utc(timestamp)] = path
        return found

    def pack(self, folder: Path, archive: IO[bytes]) -> None:
        """Write the files that nbgrader would copy from a folder as an archive."""
        archives.pack(
            folder,
            archive,
            ignore=ignore_patterns(
                exclude=self.coursedir.ignore,
                include=self.coursedir.include,
                max_file_size=self.coursedir.max_file_size,
                log=self.log,
            ),
            max_bytes=_KILOBYTE * self.coursedir.max_dir_size,
        )

    def share_with_group(self, folder: Path) -> None:
        """Let the group write, if the course directory is configured so."""
        if not self.coursedir.groupshared:
            return
        for parent, _, names in os.walk(folder):
            for path, bits in ((Path(parent), 0o2770), *((Path(parent, n), 0o660) for n in names)):
                try:
                    path.chmod((path.stat().st_mode | bits) & 0o2777)
                except PermissionError:
                    self.log.warning(
                        "Could not update permissions of %s to make it groupshared", path
                    )

    def find_released(self, assignment: str) -> Released:
        """Return a released assignment of the course; fail if there is none of that name."""
        available = self.kore.assignments(self.course)
        for released in available:
            if released.name == assignment:
                return released
        return self.fail_not_found(assignment, [released.name for released in available])

    def fail_not_found(self, wanted: str, others: list[str]) -> NoReturn:
        """Fail because there is no such assignment; suggest the most similar one."""
        message = f"Assignment not found: {wanted}"
        self.log.fatal(message)
        if others:
            nearest = max(others, key=lambda name: fuzz.ratio(wanted, name))
            self.log.error("Did you mean: %s", nearest)
        raise ExchangeError(message)


def matches(name: str, pattern: str) -> bool:
    """Whether a name matches nbgrader's pattern; an empty pattern matches all."""
    return fnmatch.fnmatchcase(name, pattern or "*")


def plain_name(pattern: str) -> str:
    """Return a pattern that is a plain name, for Kore to filter by; else ""."""
    return "" if any(sign in pattern for sign in "*?[") else pattern


def utc(moment: datetime) -> datetime:
    """Return a moment as nbgrader's database has it: UTC, with no time zone in it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@contextmanager
def temporary_path(target: Path) -> Iterator[Path]:
    """Yield a path next to ``target`` in which to prepare it; remove it at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    try:
        yield path
    finally:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def replace_folder(folder: Path, target: Path) -> None:
    """Move a complete folder to a target, and replace one that is there.

    A kill leaves the old one, the new one, or for an instant none; never a mixture.
    """
    if not target.exists():
        folder.rename(target)
        return
    with temporary_path(target) as old:
        target.rename(old)
        try:
            folder.rename(target)
        except OSError:
            old.rename(target)
            raise
