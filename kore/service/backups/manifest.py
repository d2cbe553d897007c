"""The manifest of a backup: whose it is, when it was taken, and what is in it.

The manifest is the archive's last member: everything before it is written in one go, and its
checksums are known by then. ``version`` grows when the form changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from kore.service.coursedir import layout
from kore.service.errors import BadArchive, Invalid
from kore.shared.ids import COURSE_ID_PATTERN
from kore.shared.messages import Message, message

NAME = "manifest.json"
FORM, VERSION = "ananke-course-backup", 1
MAX_BYTES = 256 * 1024 * 1024
COURSE, EXCHANGE, PEOPLE = "course", "exchange", "people.json"
"""What an archive holds: nbgrader's course directory, the course's exchange, its students."""
SOURCES = f"{COURSE}/{layout.SOURCE}/"
GRADEBOOK = f"{COURSE}/{layout.GRADEBOOK}"

Contents = Literal["sources", "everything"]


def bad_backup(reason: str | Message, /, **params: Any) -> BadArchive:
    """Return the error for an archive that is not a backup, or a damaged one.

    ``reason`` is a message, or the id of one with these parameters.
    """
    if isinstance(reason, str):
        reason = message(reason, **params)
    return BadArchive("bad_backup", reason=reason)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class File(_Model):
    """A file of the archive: ``size`` in bytes, and ``at`` is where its content begins.

    ``runs`` is whether it is executable.
    """

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

    def list_sources(self) -> list[File]:
        """Return the files below ``source/``."""
        return [file for file in self.files if file.path.startswith(SOURCES)]

    def list_below(self, folder: str) -> tuple[list[str], list[File]]:
        """Return folders and files below a folder of the archive."""
        inside = folder + "/"
        return (
            [path for path in self.folders if path.startswith(inside)],
            [file for file in self.files if file.path.startswith(inside)],
        )


@dataclass(frozen=True, slots=True)
class Member:
    """What really is in an archive: ``sha256`` is empty for a folder."""

    path: str
    size: int
    at: int
    sha256: str
    runs: bool


def parse_manifest(text: bytes) -> Manifest:
    """Return a manifest. Raises BadArchive for anything else, Invalid for a later version."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_backup("backup.manifest_unreadable") from error
    if not isinstance(data, dict) or data.get("form") != FORM:
        raise bad_backup("backup.none")
    version = data.get("version")
    if isinstance(version, int) and version > VERSION:
        raise Invalid("backup_newer")
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in found["loc"][:3])
        raise bad_backup("backup.manifest_damaged", field=where) from error


def check_members(manifest: Manifest, members: list[Member]) -> None:
    """Raise BadArchive unless an archive holds exactly what its manifest says."""
    files = {member.path: member for member in members if member.sha256}
    folders = {member.path for member in members if not member.sha256}
    listed = {file.path: file for file in manifest.files}
    if len(listed) != len(manifest.files):
        raise bad_backup("backup.manifest_twice")
    if missing := listed.keys() - files.keys():
        raise bad_backup("backup.file_missing", file=min(missing))
    if surplus := (files.keys() - listed.keys()) | (folders ^ set(manifest.folders)):
        raise bad_backup("backup.file_surplus", file=min(surplus))
    for path, file in listed.items():
        found = files[path]
        if (file.size, file.sha256) != (found.size, found.sha256):
            raise bad_backup("backup.file_changed", file=path)
        if (file.at, file.runs) != (found.at, found.runs):
            raise bad_backup("backup.repacked")
    parts = {path.partition("/")[0] for path in (*files, *folders)}
    allowed = {COURSE} if manifest.contents == "sources" else {COURSE, EXCHANGE, PEOPLE}
    if not parts <= allowed:
        raise bad_backup("backup.file_foreign", file=min(parts - allowed))
    if manifest.contents == "sources" and any(not path.startswith(SOURCES) for path in files):
        raise bad_backup("backup.not_only_sources")
