"""Kore's settings, read once from its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


class SettingsError(ValueError):
    """A setting is missing or makes no sense; the text names it."""


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work is taken, in bytes, but for ``files``, which is a number of files.

    ``file`` is for one file, ``submission`` and ``files`` for one archive, ``course`` for
    all that lies in the exchange of a course, ``person`` for what one person may have
    handed in there: so that nobody fills the course's part for all others. ``backups`` is
    for all backups that are kept for a course.
    """

    file: int = 100 * 10**6
    submission: int = 250 * 10**6
    person: int = 2 * 10**9
    course: int = 20 * 10**9
    files: int = 2000
    backups: int = 10 * 10**9

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read ``KORE_LIMIT_FILE`` and so on: bytes, or a number with a unit (``100 MB``)."""

        def size(name: str, default: int) -> int:
            value = environ.get(name, "") or str(default)
            found = re.fullmatch(r"([0-9]{1,15}) ?([KMGT]?)B?", value.strip(), re.IGNORECASE)
            if not found or not int(found[1]):
                raise SettingsError(f"{name} must be a size like 100 MB, not {value!r}")
            return int(found[1]) * _UNITS[found[2].upper()]

        usual = cls()
        return cls(
            file=size("KORE_LIMIT_FILE", usual.file),
            submission=size("KORE_LIMIT_SUBMISSION", usual.submission),
            person=size("KORE_LIMIT_PERSON", usual.person),
            course=size("KORE_LIMIT_COURSE", usual.course),
            files=size("KORE_LIMIT_FILES", usual.files),
            backups=size("KORE_LIMIT_BACKUPS", usual.backups),
        )


UNLIMITED = Limits(
    file=2**62, submission=2**62, person=2**62, course=2**62, files=10**6, backups=2**62
)
"""For work that was taken once, and is taken over or back."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Kore's settings.

    ``state_dir`` holds the database (where ``database_url`` does not name another), the
    LTI key and the session secret. ``homes`` and ``exchange`` are as ``kore.host`` lays
    them. ``prefix`` is the path of the service below the host, without a slash at its end.
    ``hub_url`` is the hub's own path below the host (``/hub/``).
    ``proxy_url`` is where the hub's proxy answers on this machine, without a path.
    ``platform_requests`` bounds the requests under way at once to one LMS. ``accounts`` is
    the folder of given-out Unix accounts, empty where one account is all. ``host`` is the
    kind of machine, as ``kore.host.open_course_folders`` takes it.
    """

    state_dir: Path
    homes: Path
    exchange: Path
    database_url: str
    listen: str
    prefix: str
    base_url: str
    api_url: str
    api_token: str
    threads: int
    job_threads: int
    platform_requests: int
    limits: Limits = field(default_factory=Limits)
    proxy_url: str = ""
    accounts: str = ""
    host: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, *, hub: bool = True) -> Self:
        """Read the variables that the hub and ``kore.hub.config`` set for a service.

        Without ``hub`` for a command that someone runs next to it: it speaks to no hub, and
        looks into no home.
        """

        def required(name: str) -> str:
            value = environ.get(name, "")
            if not value:
                raise SettingsError(f"{name} is not set: Kore is started by JupyterHub")
            return value

        def number(name: str, default: int) -> int:
            value = environ.get(name, str(default))
            if not value.isdecimal() or not 1 <= int(value) <= 1000:  # noqa: PLR2004
                raise SettingsError(f"{name} must be a number from 1 to 1000, not {value!r}")
            return int(value)

        def of_hub(name: str) -> str:
            return required(name) if hub else environ.get(name, "")

        state_dir = Path(required("KORE_STATE_DIR"))
        return cls(
            state_dir=state_dir,
            homes=Path(of_hub("KORE_HOMES")),
            exchange=Path(required("KORE_EXCHANGE")),
            database_url=environ.get("KORE_DATABASE_URL")
            or f"sqlite:///{state_dir / 'kore.sqlite'}",
            listen=of_hub("JUPYTERHUB_SERVICE_URL"),
            prefix=of_hub("JUPYTERHUB_SERVICE_PREFIX").rstrip("/"),
            base_url=environ.get("JUPYTERHUB_BASE_URL", "/"),
            api_url=of_hub("JUPYTERHUB_API_URL"),
            api_token=of_hub("JUPYTERHUB_API_TOKEN"),
            threads=number("KORE_THREADS", 24),
            job_threads=number("KORE_JOB_THREADS", 4),
            platform_requests=number("KORE_PLATFORM_REQUESTS", 4),
            limits=Limits.from_environment(environ),
            proxy_url=environ.get("KORE_PROXY_URL", ""),
            accounts=environ.get("KORE_ACCOUNTS", ""),
            host=environ.get("KORE_HOST", ""),
        )
