"""Copying a course's assignments: Kore's job against ``cp -r`` of the same tree, in one run.

    python -m tests.bench.bench_copy [--assignments N] [--megabytes N] [--runs N]

Each assignment has two notebooks, ten small files and a share of the megabytes in one large
one. Both copies end with everything on the disk (``sync -f``), in turns. Kore's time is that of
the job from its begin to its end, checks of all notebooks included. One JSON line.
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
from pathlib import Path

from kore.service.copying import copies
from kore.service.copying.schemas import CopyRequest
from tests.support import notebooks
from tests.support.kore import Harness, make_kore


def _fill(kore: Harness, course: str, assignments: int, megabytes: int) -> Path:
    root = kore.services.host.prepare_course(course)
    text = json.dumps(notebooks.assignment())
    for number in range(assignments):
        folder = root / "source" / f"ps{number:02}"
        folder.mkdir(parents=True)
        for name in ("p1", "p2"):
            (folder / f"{name}.ipynb").write_text(text.replace('square"', f'square-{name}"'))
        for table in range(10):
            (folder / f"{table}.csv").write_bytes(b"1,2,3\n" * 500)
        (folder / "large.bin").write_bytes(os.urandom(megabytes * 10**6 // assignments))
    return root / "source"


def _sync(folder: Path) -> None:
    subprocess.run(["sync", "-f", str(folder)], check=True)


def _kore(kore: Harness, source: str, target: str) -> float:
    root = kore.services.host.course_root(target)
    shutil.rmtree(root / "source", ignore_errors=True)
    _sync(root)
    request = CopyRequest.model_validate({"from": {"kind": "course", "id": source}})
    copies.queue_copy(kore.services, target, request, by="u1")
    began = time.perf_counter()
    kore.work()
    _sync(root)
    return time.perf_counter() - began


def _cp(source: Path, target: Path) -> float:
    shutil.rmtree(target, ignore_errors=True)
    _sync(target.parent)
    began = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    _sync(target)
    return time.perf_counter() - began


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assignments", type=int, default=30)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place, make_kore(Path(place)) as kore:
        source, _ = kore.launch("1", "Instructor", link="source")
        target, _ = kore.launch("1", "Instructor", link="target")
        kore.work()
        folder = _fill(kore, source, options.assignments, options.megabytes)
        times: dict[str, list[float]] = {"kore": [], "cp": []}
        for _ in range(options.runs):
            times["cp"].append(_cp(folder, Path(place) / "copied"))
            times["kore"].append(_kore(kore, source, target))
            copied = kore.services.host.course_root(target) / "source"
            if subprocess.run(["diff", "-rq", str(folder), str(copied)], check=False).returncode:
                raise AssertionError("the copy differs")
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "copy",
                "assignments": options.assignments,
                "megabytes": options.megabytes,
                "runs": options.runs,
                "cp_seconds": round(medians["cp"], 3),
                "kore_seconds": round(medians["kore"], 3),
                "all_seconds": {k: [round(t, 3) for t in v] for k, v in times.items()},
                "ratio": round(medians["kore"] / medians["cp"], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
