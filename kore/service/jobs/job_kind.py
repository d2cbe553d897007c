"""What there is to know of a kind of job, one record each.

Features declare their kinds; ``kore.service.job_kinds`` lists who does them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job.

    An ``exclusive`` job waits while another such job, of whatever kind, works on its course.
    While one that ``closes`` works, nothing is handed out or in there. A ``quiet`` kind is
    the service's own doing and leaves no trace in the course's audit. ``subject`` reads from a
    job's parameters the name of the one thing that it is about.
    """

    name: str
    exclusive: bool = False
    closes: bool = False
    quiet: bool = False
    subject: Callable[[Mapping[str, Any]], str | None] | None = field(default=None, compare=False)
