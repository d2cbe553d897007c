"""What of a course goes into a backup, and what is left out of it and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from kore.service.backups.archives import MAX_FILE, find_fault
from kore.service.backups.manifest import COURSE, Contents
from kore.service.coursedir.layout import GRADEBOOK_FILES, SOURCE, STAGING, is_unfinished
from kore.service.coursedir.openat import Entry
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.errors import Conflict
from kore.service.jobs import JobContext
from kore.shared.messages import Message, message
from kore.shared.names import twin_key

_MAX_LINES = 200
"""Lines of a report on what was left out."""


@dataclass(slots=True)
class Inventory:
    """What of a course goes into a backup. ``left_out`` has the reasons by path.

    ``lost`` are the plain files and folders among what is left out.
    """

    folders: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    left_out: dict[str, Message] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def take_inventory(tree: SafeTree, contents: Contents) -> Inventory:
    """Return what goes into a backup; sources first, so that they lie together."""
    course = Inventory()
    # The gradebook is copied by itself.
    tops = [e.path for e in tree.list_folder() if e.path not in {STAGING, *GRADEBOOK_FILES}]
    if contents == "sources":
        tops = [name for name in tops if name == SOURCE]
    for name in sorted(tops, key=lambda name: (name != SOURCE, name)):
        _add(tree, name, course, checkpoints=contents == "everything")
    return course


def report_left_out(ctx: JobContext, course: Inventory, *, whole: bool) -> None:
    """Write what is left out into the job's report.

    With ``whole`` raises Conflict where a plain file is among it.
    """
    if whole and course.lost:
        first = course.lost[0]
        raise Conflict("not_whole", n=len(course.lost), file=first, reason=course.left_out[first])
    for path, reason in sorted(course.left_out.items(), key=lambda each: each[0])[:_MAX_LINES]:
        key = path.encode("utf-8", "backslashreplace").decode()
        ctx.item(key[:255], key, "left_out", reason)


def _add(tree: SafeTree, name: str, course: Inventory, *, checkpoints: bool) -> None:
    found = tree.stat(name)
    if found is None:
        return
    entries: Iterator[Entry] = iter([found])
    if found.is_dir and not found.is_special:
        entries = chain([found], tree.walk(name))
    skipped = ""
    twins: dict[str, str] = {}
    for entry in entries:
        last = entry.path.rpartition("/")[2]
        if skipped and entry.path.startswith(skipped):
            continue
        if is_unfinished(last) or (last == ".ipynb_checkpoints" and not checkpoints):
            skipped = entry.path + "/"
            continue
        reason = _reason_to_leave_out(entry, twins)
        if reason is None:
            (course.folders if entry.is_dir else course.files).append(entry)
            continue
        skipped = entry.path + "/"
        course.left_out[entry.path] = reason
        if not entry.is_special:
            course.lost.append(entry.path)


def _reason_to_leave_out(entry: Entry, twins: dict[str, str]) -> Message | None:
    if entry.is_special:
        return message("left_out.special")
    if fault := find_fault(f"{COURSE}/{entry.path}"):
        return fault
    if entry.size > MAX_FILE:
        return message("left_out.size", limit=MAX_FILE + 1)
    other = twins.setdefault(twin_key(entry.path), entry.path)
    if other != entry.path:
        return message("left_out.twin", file=other)
    return None
