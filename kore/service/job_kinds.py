"""Every kind of job that there is, and what does it."""

from __future__ import annotations

from collections.abc import Mapping

from kore.service import autograding
from kore.service.backups import job as backup_job
from kore.service.copying import copies
from kore.service.courses import launches, provision
from kore.service.grades import plans, sending
from kore.service.jobs import Handler, JobKind
from kore.service.lifecycle import ending, preconditions, restoring

HANDLERS: Mapping[JobKind, Handler] = {
    launches.PROVISION: provision.provision,
    autograding.KIND: autograding.run,
    plans.SEND: sending.run,
    copies.COPY: copies.run_copy,
    backup_job.BACKUP: backup_job.run,
    preconditions.RESTORE: restoring.restore,
    preconditions.RESET: ending.reset,
    preconditions.DELETE: ending.delete,
}
