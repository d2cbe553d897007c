"""A process that hands work in without end, for tests that kill it.

``python -m tests.support.submit_process FOLDER COURSE USER`` prints the id of each submission
as it is acknowledged. Every other one also gets feedback, and the assignment is released
again, so a kill may fall into any of these.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from pathlib import Path

from kore.service.db.models import now
from kore.service.exchange import assignments, submissions
from kore.service.services import Services, open_services
from kore.service.settings import Settings
from tests.support.archives import tar_of
from tests.support.course import pieces


def settings(folder: Path) -> Settings:
    """Return the settings of a Kore over a folder, as ``tests.support.kore`` makes it."""
    return Settings.from_environment(
        {
            "KORE_STATE_DIR": str(folder / "kore"),
            "KORE_HOMES": str(folder / "homes"),
            "KORE_EXCHANGE": str(folder / "exchange"),
        },
        hub=False,
    )


def work(services: Services, course: str, user: str) -> None:
    """Hand in for ever."""
    count = 0
    while True:
        count += 1
        archive = tar_of({"a.ipynb": os.urandom(200_000)})
        key = secrets.token_hex(8)
        one = submissions.submit(
            services, course, "ps1", pieces(archive, 30_000), user=user, key=key, began=now()
        )
        # One write, so a kill leaves no part of a line, and threads do not mix theirs.
        os.write(sys.stdout.fileno(), f"{one.id} {one.sha256}\n".encode())
        if count % 2:
            page = tar_of({"a.html": os.urandom(1000)})
            submissions.release_feedback(services, course, one.id, pieces(page), by="u1")
            assignments.release_assignment(services, course, "ps1", pieces(page), by="u1")


if __name__ == "__main__":
    opened = open_services(settings(Path(sys.argv[1])))
    for _ in range(3):
        threading.Thread(target=work, args=(opened, *sys.argv[2:4]), daemon=True).start()
    threading.Event().wait()
