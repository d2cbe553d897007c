"""Copying as a job: planned again, got ready, and put into place in one go."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kore.service import jobs
from kore.service.backups.creation import create_backup
from kore.service.copying import plans, sources, staging
from kore.service.copying.plans import Plan, Step
from kore.service.copying.schemas import CopyRequest
from kore.service.coursedir import moves
from kore.service.coursedir.layout import SOURCE, STAGING
from kore.service.coursedir.moves import Journal, Move
from kore.service.coursedir.tree import SafeTree
from kore.service.errors import KoreError
from kore.service.jobs.reports import FINAL
from kore.service.services import Services
from kore.shared.messages import plain
from kore.shared.names import shown

log = logging.getLogger(__name__)


def _subject(params: Mapping[str, Any]) -> str | None:
    # Not validated: jobs of earlier versions are listed too.
    asked = params["request"]
    some = asked.get("assignments")
    if some is not None and len(some) == 1:
        return str(some[0])
    one = asked.get("problem") or asked.get("assignment")
    return None if one is None else str(one)


COPY = jobs.JobKind("course.copy", exclusive=True, subject=_subject)
REPLACED = f"{STAGING}/replaced"
"""Where what gave way is kept if it changed after its backup, in a folder for each copy."""
_REMOVED = re.compile(r"[0-9a-f]{16}")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def plan(
    services: Services, course_id: str, request: CopyRequest, *, by: str, admin: bool = False
) -> Plan:
    """Return what a copy would do. Raises KoreError where it can never be."""
    origin = sources.find(services, by, request.origin.kind, request.origin.id, admin=admin)
    return plans.plan(services, course_id, request, origin)


def copy(
    services: Services, course_id: str, request: CopyRequest, *, by: str, admin: bool = False
) -> str:
    """Queue a copy; return the job's id. Raises KoreError where it cannot be."""
    origin = sources.find(services, by, request.origin.kind, request.origin.id, admin=admin)
    plans.plan(services, course_id, request, origin).refuse(request.collision)
    named = request.problem or request.assignment or ", ".join(request.assignments or [])
    words = (
        f"Copy {shown(named)} from {shown(origin.title)}"
        if named
        else f"Copy “all assignments” from {shown(origin.title)}"
    )
    with services.db.session() as session:
        job = jobs.enqueue(
            session,
            COPY,
            course_id=course_id,
            created_by=by,
            params={"request": request.model_dump(by_alias=True), "admin": admin},
            message=plain(words),
        )
        return job.id


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy under way: what the job knows, and the course's folder, open."""

    context: jobs.JobContext
    course_id: str
    target: SafeTree
    folder: str

    def clean(self) -> None:
        """Remove what was got ready and did not come into place, and what kills left of that."""
        self.target.remove(self.folder)
        for entry in self.target.list_folder(STAGING):
            if _REMOVED.fullmatch(entry.path.rpartition("/")[2]):
                self.target.remove(entry.path)


def run(context: jobs.JobContext) -> None:
    """Do a copy, or what a kill left of it."""
    if context.course_id is None:
        raise ValueError("a copy without a course")
    with _open(context, context.course_id) as copying:
        journal = moves.read(context.params) or _get_ready(copying)
        if journal is None:
            return
        if journal.state == "forward":
            _put_into_place(copying, journal)
        if journal.state == "back":
            moves.back(copying.target, journal.moves)
            copying.clean()
            journal.state = "undone"
            # It has come to an end, though not to the one that it was after.
            context.record(journal=journal.model_dump(), **{FINAL: False})
        if journal.state == "undone":
            raise _changed()
        _report(copying)


@contextmanager
def _open(context: jobs.JobContext, course_id: str) -> Iterator[_Copy]:
    with SafeTree(context.services.host.course_root(course_id)) as target:
        yield _Copy(context, course_id, target, moves.folder_of(context.job_id))


def _get_ready(copying: _Copy) -> Journal | None:
    """Stage everything, then write down how it is put into place; None where it is cancelled."""
    context, services = copying.context, copying.context.services
    request = CopyRequest.model_validate(context.params["request"])
    origin = sources.find(
        services,
        context.created_by,
        request.origin.kind,
        request.origin.id,
        admin=bool(context.params.get("admin")),
    )
    copying.clean()
    try:
        made = plans.plan(services, copying.course_id, request, origin)
        made.refuse(request.collision)
        todo: list[Move] = []
        with origin.open(services) as source:
            for number, step in enumerate(made.steps):
                if context.cancelled():
                    copying.clean()
                    return None
                context.progress(
                    number, len(made.steps) + 1, plain(f"Copying {shown(step.assignment)}")
                )
                place = f"{copying.folder}/{number}"
                todo += staging.stage(source, copying.target, step, place, request.collision)
        if any(move.swap for move in todo):
            create_backup(context, "sources", "before_replace")
        copying.target.make_folder(SOURCE)
        copying.target.flush()
        services.host.hand_over(copying.course_id)
        journal = Journal(state="forward", moves=todo)
        lines = [_line(step) for step in made.steps]
        context.no_return(journal=journal.model_dump(), lines=lines)
    except OSError as error:
        copying.clean()
        raise _told(error) from error
    except BaseException:
        copying.clean()
        raise
    return journal


def _put_into_place(copying: _Copy, journal: Journal) -> None:
    try:
        moves.forward(copying.target, journal.moves)
        copying.target.flush()
        _keep_changed(copying, journal)
        journal.state = "done"
    except KoreError:
        journal.state = "back"
    copying.context.record(journal=journal.model_dump())


def _keep_changed(copying: _Copy, journal: Journal) -> None:
    """Keep what gave way as it was in the end, where the backup has it as it was before."""
    target = copying.target
    for number, move in enumerate(journal.moves):
        if not move.swap or not target.exists(move.staged):
            continue
        if moves.signature(target, move.staged) == move.before:
            continue
        name = move.place.rpartition("/")[2]
        kept = f"{REPLACED}/{copying.context.job_id}/{number}/{name}"
        target.rename(move.staged, kept)
        words = f"Somebody changed it after the backup: its last state is in {kept}."
        copying.context.item(f"kept-{number}", name, "kept", plain(words))


def _report(copying: _Copy) -> None:
    """Tidy up, and write the report's lines."""
    context = copying.context
    copying.clean()
    lines = context.params["lines"]
    for line in lines:
        context.item(line["key"], line["label"], "copied", plain(line["words"]), **line["detail"])
    total = len(lines)
    context.progress(total + 1, total + 1, plain(f"{total} copied"))


def _line(step: Step) -> dict[str, Any]:
    """Return a step's line of the report."""
    label = step.problem or step.assignment
    name, target = shown(step.name), shown(step.target)
    words = (
        f"As {name}"
        + (f" in {target}" if step.problem is not None else "")
        + ("; a backup has what was there before" if step.replaces else "")
        + "."
    )
    return {
        "key": label[:255],
        "label": label,
        "words": words,
        "detail": {
            "assignment": step.target if step.problem else step.name,
            "files": len(step.files),
        },
    }


def _changed() -> KoreError:
    return KoreError(
        409,
        "changed_meanwhile",
        "The course has changed while the copy was made ready. Nothing was copied.",
        "Try again.",
    )


def _told(error: OSError) -> KoreError:
    if error.errno in _FULL:
        return KoreError(
            507,
            "no_room",
            "There is no room for the copy. Nothing was copied.",
            "Remove what is not needed, or ask the hub's administrator for more room.",
        )
    log.warning("A copy failed: %s", error)
    return KoreError(
        409,
        "changed_meanwhile",
        f"A file could not be copied: {error.strerror}. Nothing was copied.",
        "Try again. If it stays, tell the administrator when it happened.",
    )
