"""What a backup's archive says of itself: whose it is, when it was taken, and what is in it.

The manifest is the archive's last member: everything before it is written in one go, and its
checksums are known by then. ``version`` grows when the form changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kore.service.coursedir import layout
from kore.service.errors import KoreError
from kore.shared.ids import COURSE_ID_PATTERN
from kore.shared.names import shown

NAME = "manifest.json"
FORM, VERSION = "ananke-course-backup", 1
MOST_BYTES = 256 * 1024 * 1024
COURSE, EXCHANGE, PEOPLE = "course", "exchange", "people.json"
"""What an archive holds: nbgrader's course directory, the course's exchange, its students."""
SOURCES = f"{COURSE}/{layout.SOURCE}/"
GRADEBOOK = f"{COURSE}/{layout.GRADEBOOK}"

Contents = Literal["sources", "everything"]


def bad_backup(message: str) -> KoreError:
    """Return the error for an archive that is no backup, or a damaged one."""
    return KoreError(
        422,
        "bad_backup",
        message,
        "Use an archive as Kore made it: uncompressed, and not packed anew.",
    )


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class File(_Model):
    """A file of the archive. ``at`` is where its content begins, ``size`` in bytes."""

    path: str
    size: int
    at: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    runs: bool = False


class Manifest(_Model):
    """The manifest. ``gradebook`` is the version of nbgrader's tables, "" without any."""

    form: Literal["ananke-course-backup"] = "ananke-course-backup"
    version: Literal[1] = 1
    course: str = Field(pattern=COURSE_ID_PATTERN)
    title: str = Field(max_length=2000)
    contents: Contents
    taken_at: AwareDatetime
    taken_by: str = Field(max_length=255)
    taken_by_name: str = Field(max_length=2000)
    ananke: str = Field(max_length=64)
    nbgrader: str = Field(max_length=64)
    gradebook: str = Field("", max_length=64)
    assignments: int = Field(ge=0)
    students: int = Field(ge=0)
    folders: list[str]
    files: list[File]

    def sources(self) -> list[File]:
        """Return the files below ``source/``."""
        return [file for file in self.files if file.path.startswith(SOURCES)]

    def below(self, folder: str) -> tuple[list[str], list[File]]:
        """Return folders and files below a folder of the archive."""
        inside = folder + "/"
        return (
            [path for path in self.folders if path.startswith(inside)],
            [file for file in self.files if file.path.startswith(inside)],
        )


@dataclass(frozen=True, slots=True)
class Member:
    """What is really in an archive: ``sha256`` is empty for a folder."""

    path: str
    size: int
    at: int
    sha256: str
    runs: bool


def parsed(text: bytes) -> Manifest:
    """Return a manifest. Raises KoreError for anything else, and for one of a later form."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_backup("The backup's manifest cannot be read.") from error
    if not isinstance(told, dict) or told.get("form") != FORM:
        raise bad_backup("This is not a backup of a course.")
    version = told.get("version")
    if isinstance(version, int) and version > VERSION:
        raise KoreError(
            422,
            "backup_newer",
            "This backup was made by a later version of Ananke, which this one cannot read.",
            "Ask the administrator of this system to update it.",
        )
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in found["loc"][:3])
        raise bad_backup(f"The backup's manifest is damaged at {shown(where)}.") from error


def compare(manifest: Manifest, members: list[Member]) -> None:
    """Check that an archive holds exactly what its manifest says. Raises KoreError."""
    files = {member.path: member for member in members if member.sha256}
    folders = {member.path for member in members if not member.sha256}
    told = {file.path: file for file in manifest.files}
    if len(told) != len(manifest.files):
        raise bad_backup("The backup's manifest names a file twice.")
    if missing := told.keys() - files.keys():
        raise bad_backup(f"{shown(min(missing))} is missing in the backup.")
    if surplus := (files.keys() - told.keys()) | (folders ^ set(manifest.folders)):
        raise bad_backup(f"{shown(min(surplus))} is in the backup or its manifest only.")
    for path, file in told.items():
        found = files[path]
        if (file.size, file.sha256) != (found.size, found.sha256):
            raise bad_backup(f"{shown(path)} is not what was put into the backup.")
        if (file.at, file.runs) != (found.at, found.runs):
            raise bad_backup("The backup was packed anew, or its manifest changed.")
    parts = {path.partition("/")[0] for path in (*files, *folders)}
    allowed = {COURSE} if manifest.contents == "sources" else {COURSE, EXCHANGE, PEOPLE}
    if not parts <= allowed:
        raise bad_backup(f"{shown(min(parts - allowed))} has no place in a backup.")
    if manifest.contents == "sources" and any(not path.startswith(SOURCES) for path in files):
        raise bad_backup("A backup of assignments holds something else.")
