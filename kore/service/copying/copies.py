"""Copies as jobs: planned again, prepared, and moved into place all at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kore.service import jobs
from kore.service.backups.creation import create_backup
from kore.service.copying import plans, sources, staging
from kore.service.copying.plans import Plan, Step
from kore.service.copying.schemas import CopyRequest
from kore.service.copying.sources import Origin
from kore.service.coursedir import transaction
from kore.service.coursedir.layout import REPLACED, SOURCE
from kore.service.coursedir.safe_tree import SafeTree
from kore.service.coursedir.transaction import Journal, Move
from kore.service.errors import Cancelled, Changed, KoreError, ServerFault
from kore.service.jobs.reports import FINAL
from kore.service.services import Services
from kore.shared.messages import Message, message, plain

log = logging.getLogger(__name__)


def _find_subject(params: Mapping[str, Any]) -> str | None:
    # Not validated: jobs of earlier versions are listed too.
    asked = params["request"]
    some = asked.get("assignments")
    if some is not None and len(some) == 1:
        return str(some[0])
    one = asked.get("problem") or asked.get("assignment")
    return None if one is None else str(one)


_MAX_NAMES = 5
"""Names that the course's history lists."""
COPY = jobs.JobKind("course.copy", exclusive=True, subject=_find_subject)


def plan_copy(
    services: Services, course_id: str, request: CopyRequest, *, by: str, admin: bool = False
) -> Plan:
    """Return what a copy would do. Raises KoreError for what can never be copied."""
    origin = _find_origin(services, request, by=by, admin=admin)
    return plans.make_plan(services, course_id, request, origin)


def queue_copy(
    services: Services, course_id: str, request: CopyRequest, *, by: str, admin: bool = False
) -> str:
    """Queue a copy; return the job's id. Raises KoreError for what cannot be copied."""
    origin = _find_origin(services, request, by=by, admin=admin)
    plans.make_plan(services, course_id, request, origin).check(request.collision)
    with services.db.session() as session:
        job = jobs.enqueue(
            session,
            COPY,
            course_id=course_id,
            created_by=by,
            params={"request": request.model_dump(by_alias=True), "admin": admin},
            message=_describe_request(request, origin),
        )
        return job.id


def _find_origin(services: Services, request: CopyRequest, *, by: str, admin: bool) -> Origin:
    return sources.find_source(services, by, request.origin.kind, request.origin.id, admin=admin)


def _describe_request(request: CopyRequest, origin: Origin) -> Message:
    if one := request.problem or request.assignment:
        return message("audit.copy", names=[one], source=origin.title)
    if request.assignments and len(request.assignments) > _MAX_NAMES:
        return message("audit.copy_some", n=len(request.assignments), source=origin.title)
    if request.assignments:
        return message("audit.copy", names=request.assignments, source=origin.title)
    return message("audit.copy_all", source=origin.title)


def run_copy(context: jobs.JobContext) -> None:
    """Copy, or complete what a kill has interrupted."""
    if context.course_id is None:
        raise ValueError("a copy without a course")
    with SafeTree(context.services.host.course_root(context.course_id)) as target:
        copying = _Copy(context, context.course_id, target)
        journal = transaction.read_journal(context.params) or copying.prepare()
        if journal is None:
            return
        if journal.state == "forward":
            copying.put_into_place(journal)
        if journal.state == "back":
            copying.undo(journal)
        if journal.state == "undone":
            raise Changed("changed_meanwhile.course")
        copying.report()


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy that is being made: what its job knows, and the course's folder, open."""

    context: jobs.JobContext
    course_id: str
    target: SafeTree

    def prepare(self) -> Journal | None:
        """Prepare everything, then record how it is moved; None where the copy is cancelled."""
        try:
            with transaction.prepare_changes(self.context, self.target) as new:
                return self._prepare(new)
        except _Stopped:
            return None
        except OSError as error:
            log.warning("Copy %s failed: %s", self.context.job_id, error)
            raise ServerFault("copy_failed", said=error.strerror) from error

    def _prepare(self, new: str) -> Journal:
        context, services = self.context, self.context.services
        request = CopyRequest.model_validate(context.params["request"])
        admin = bool(context.params.get("admin"))
        origin = _find_origin(services, request, by=context.created_by, admin=admin)
        plan = plans.make_plan(services, self.course_id, request, origin)
        plan.check(request.collision)
        moves: list[Move] = []
        with origin.open(services) as source:
            for number, step in enumerate(plan.steps):
                if context.cancelled():
                    raise _Stopped
                now = message("copy.copying", name=step.assignment)
                context.progress(number, len(plan.steps) + 1, now)
                folder = f"{new}/{number}"
                moves += staging.stage(source, self.target, step, folder, request.collision)
        if any(move.swap for move in moves):
            create_backup(context, "sources", "before_replace")
        self.target.make_folder(SOURCE)
        self.target.flush()
        services.host.hand_over(self.course_id)
        journal = Journal(state="forward", moves=moves)
        lines = [_describe_step(step) for step in plan.steps]
        context.no_return(lines=lines, **journal.to_params())
        return journal

    def put_into_place(self, journal: Journal) -> None:
        """Make the moves; where something is in the way, the journal turns back."""
        try:
            transaction.make_moves(self.target, journal.moves)
            self.target.flush()
            self._keep_changed(journal)
            journal.state = "done"
        except KoreError:
            journal.state = "back"
        self.context.record(**journal.to_params())

    def undo(self, journal: Journal) -> None:
        """Undo the moves that were made."""
        transaction.undo_moves(self.target, journal.moves)
        transaction.clear(self.target, self.context.job_id)
        journal.state = "undone"
        # The job may end now: nothing of what had to be completed is left.
        self.context.record(**journal.to_params(), **{FINAL: False})

    def report(self) -> None:
        """Tidy up, and write the lines of the report."""
        transaction.clear(self.target, self.context.job_id)
        lines = self.context.params["lines"]
        for line in lines:
            # Earlier versions wrote a sentence.
            said = plain(line["words"]) if "words" in line else Message.from_data(line["message"])
            self.context.item(line["key"], line["label"], "copied", said, **line["detail"])
        total = len(lines)
        self.context.progress(total + 1, total + 1, message("copy.copied", n=total))

    def _keep_changed(self, journal: Journal) -> None:
        """Keep the last state of a replaced thing that has changed after its backup."""
        for number, move in enumerate(journal.moves):
            if not move.swap or not self.target.exists(move.staged):
                continue
            if transaction.compute_signature(self.target, move.staged) == move.before:
                continue
            name = move.place.rpartition("/")[2]
            kept = f"{REPLACED}/{self.context.job_id}/{number}/{name}"
            self.target.rename(move.staged, kept)
            self.context.item(f"kept-{number}", name, "kept", message("copy.kept", path=kept))


class _Stopped(Cancelled):
    """Someone asked the copy to stop, or the service is stopping: the runner knows which."""

    def __init__(self) -> None:
        super().__init__("job_cancelled.unchanged")


def _describe_step(step: Step) -> dict[str, Any]:
    """Return a step's line of the report."""
    label = step.problem or step.assignment
    said = "copy.replaced" if step.replaces else "copy.as"
    if step.problem is None:
        line = message(said, name=step.name)
    else:
        said = "copy.replaced_in" if step.replaces else "copy.as_in"
        line = message(said, name=step.name, target=step.target)
    return {
        "key": label[:255],
        "label": label,
        "message": line.to_data(),
        "detail": {
            "assignment": step.target if step.problem else step.name,
            "files": len(step.files),
        },
    }
