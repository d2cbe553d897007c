"""What of a course goes into a backup, and what is left out of it and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kore.service.backups.archives import MOST_FILE, find_fault
from kore.service.backups.manifest import COURSE, Contents
from kore.service.catalog import render
from kore.service.coursedir.layout import GRADEBOOK_FILES, SOURCE, STAGING, UNFINISHED
from kore.service.coursedir.openat import Entry
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError
from kore.service.jobs import JobContext
from kore.shared.messages import plain
from kore.shared.names import shown, twin_key

_MOST_LINES = 200
"""Lines of a report on what was left out."""


@dataclass(slots=True)
class Inventory:
    """What of a course goes into a backup. ``left_out`` has words by path."""

    folders: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    unkept: list[str] = field(default_factory=list)
    """Plain files and folders among them."""


def look(tree: SafeTree, contents: Contents) -> Inventory:
    """Find what goes into a backup; sources first, so that they lie together."""
    course = Inventory()
    tops = [e.path for e in tree.list_folder() if not _is_ours(e.path)]
    if contents == "sources":
        tops = [name for name in tops if name == SOURCE]
    for name in sorted(tops, key=lambda name: (name != SOURCE, name)):
        _look_at(tree, name, course, checkpoints=contents == "everything")
    return course


def _is_ours(name: str) -> bool:
    """Say whether something in the root is Kore's, or part of the gradebook, which is copied."""
    return name in {STAGING, *GRADEBOOK_FILES} or name.startswith(UNFINISHED)


def _look_at(tree: SafeTree, name: str, course: Inventory, *, checkpoints: bool) -> None:
    found = tree.stat(name)
    if found is None:
        return
    entries: Iterator[Entry] = iter([found])
    if found.is_dir and not found.is_special:
        entries = _chained(found, tree.walk(name))
    skipped = ""
    twins: dict[str, str] = {}
    for entry in entries:
        last = entry.path.rpartition("/")[2]
        if skipped and entry.path.startswith(skipped):
            continue
        if last.startswith(UNFINISHED) or (last == ".ipynb_checkpoints" and not checkpoints):
            skipped = entry.path + "/"
            continue
        why = _why_left_out(entry, twins)
        if not why:
            (course.folders if entry.is_dir else course.files).append(entry)
            continue
        skipped = entry.path + "/"
        course.left_out[entry.path] = why
        if not entry.is_special:
            course.unkept.append(entry.path)


def _chained(first: Entry, rest: Iterator[Entry]) -> Iterator[Entry]:
    yield first
    yield from rest


def _why_left_out(entry: Entry, twins: dict[str, str]) -> str:
    if entry.is_special:
        return "is a link, a pipe, a device or closed to Kore"
    if fault := find_fault(f"{COURSE}/{entry.path}"):
        return render(fault)
    if entry.size > MOST_FILE:
        return "is larger than 8 GB"
    other = twins.setdefault(twin_key(entry.path), entry.path)
    if other != entry.path:
        return f"has a name that some systems take for {shown(other)}"
    return ""


def tell_left_out(ctx: JobContext, course: Inventory, *, whole: bool) -> None:
    """Write what is left out into the job's report.

    With ``whole`` raises KoreError where a plain file is among it.
    """
    if whole and course.unkept:
        first = course.unkept[0]
        raise KoreError(
            409,
            "not_whole",
            f"{len(course.unkept)} files or folders cannot be backed up, and would be lost: "
            f"{shown(first)} {course.left_out[first]}.",
            "Rename or remove what is named here, or go on without a backup.",
        )
    for number, (path, why) in enumerate(sorted(course.left_out.items())):
        if number >= _MOST_LINES:
            break
        ctx.item(_key(path), shown(path), "left_out", plain(why))


def _key(path: str) -> str:
    """Return a key for a report's line, which holds 255 characters."""
    return path.encode("utf-8", "backslashreplace").decode()[:255]
