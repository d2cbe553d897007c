"""Backing a course up, and restoring it, against ``tar`` of the same tree on the same disk.

The course has S students with A assignments each (a notebook and a data file, collected,
autograded and with feedback). In turns: Kore's backup of everything, job and checks included,
and ``tar --create`` followed by ``sync`` of the archive; then one restore against ``tar
--extract`` into an empty folder. One JSON line on standard output; ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kore.service import jobs
from kore.service.backups import repository
from kore.service.backups.job import queue_backup
from kore.service.lifecycle import restoring
from kore.service.memberships import find_course
from tests.support.kore import Harness, make_kore

_NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "id": f"c{n}", "metadata": {}, "source": "x" * 300}
            for n in range(30)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
).encode()
_DATA = os.urandom(50_000)


def _fill(root: Path, students: int, assignments: int) -> None:
    for number in range(assignments):
        _work(root / "source" / f"ps{number}")
        for student in range(students):
            for stage in ("submitted", "autograded", "feedback"):
                _work(root / stage / f"u{student}" / f"ps{number}")


def _work(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "problem.ipynb").write_bytes(_NOTEBOOK)
    (folder / "data.bin").write_bytes(_DATA)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _job(kore: Harness, job: str) -> str:
    kore.work()
    report = jobs.read_report(kore.db, job)
    if report.state != "done":
        raise AssertionError(report)
    return job


def _tar(root: Path, target: Path) -> None:
    subprocess.run(["tar", "--create", "--file", target, "--directory", root, "."], check=True)
    with target.open("rb") as handle:
        os.fsync(handle.fileno())


def _untar(archive: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder], check=True)
    subprocess.run(["sync", "--file-system", folder], check=True)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--assignments", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place, make_kore(Path(place) / "kore") as kore:
        course, teacher = kore.launch("1", "Instructor")
        kore.work()
        with kore.db.reading() as session:
            title = find_course(session, course).title
        root = kore.services.host.course_root(course)
        _fill(root, options.students, options.assignments)
        archive = Path(place) / "tree.tar"
        made: list[str] = []

        def back_up() -> None:
            job = queue_backup(kore.services, course, by=teacher, contents="everything")
            made.append(_job(kore, job))

        times: dict[str, list[float]] = {"tar": [], "kore": [], "untar": [], "restore": []}
        for _ in range(options.runs):
            archive.unlink(missing_ok=True)
            times["tar"].append(_timed(lambda: _tar(root, archive)))
            times["kore"].append(_timed(back_up))
        for _ in range(options.runs):
            times["untar"].append(_timed(lambda: _untar(archive, Path(place) / "untarred")))

            def restore() -> None:
                # With the backup from before, which is part of each restore.
                _job(
                    kore,
                    restoring.queue_restore(
                        kore.services, course, by=teacher, backup_id=made[0], confirm=title
                    ),
                )

            times["restore"].append(_timed(restore))
        size = repository.find_backup(kore.services, made[0]).size
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "backup",
                "files": options.assignments * (1 + 3 * options.students) * 2,
                "bytes": size,
                "runs": options.runs,
                "seconds": {name: round(value, 3) for name, value in medians.items()},
                "ratio": round(medians["kore"] / medians["tar"], 2),
                "restore_ratio": round(medians["restore"] / (medians["untar"] + medians["tar"]), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
