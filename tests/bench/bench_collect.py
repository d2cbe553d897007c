"""Collecting a whole course's work: over Kore, against nbgrader's own file exchange.

    python -m tests.bench.bench_collect [--submissions N] [--runs N]

Both hold the same N submissions of N students (a notebook and a data file, 100 kB in all).
Each run collects all of them into an empty folder, in turns, with nbgrader's API in this
process. Kore is served by a thread of this same process, which costs it time that it does not
lose in use. One JSON line on standard output; the ratio is Kore's median to nbgrader's.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from kore.singleuser.exchange import archives
from tests.support.kore import Harness, make_kore
from tests.support.nbgrader_exchange import World, over_folders, over_kore

_DATA = b"1.0,2.0,3.0\n" * 8000


def _work(folder: Path, number: int) -> Path:
    folder.mkdir(parents=True)
    notebook = {
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"{number}"}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "p1.ipynb").write_text(json.dumps(notebook))
    (folder / "data.csv").write_bytes(_DATA)
    return folder


def _fill_folders(world: World, scratch: Path, count: int) -> None:
    world.release("ps1")
    inbound = scratch / "exchange" / world.course / "inbound"
    for number in range(count):
        stamp = f"2026-11-24 10:00:00.{number:06} UTC"
        folder = _work(inbound / f"u{1000 + number}+ps1+{stamp}+random", number)
        (folder / "timestamp.txt").write_text(stamp)


def _fill_kore(world: World, kore: Harness, url: str, scratch: Path, count: int) -> None:
    world.release("ps1")
    for number in range(count):
        sub = str(1000 + number)
        kore.launch(sub, "Learner", activity="Algebra", link="link-0")
        packed = io.BytesIO()
        folder = _work(scratch / "work" / sub, number)
        archives.pack(folder, packed, ignore=lambda _, __: [], max_bytes=10**9)
        answer = requests.post(
            f"{url}/exchange/{world.course}/assignments/ps1/submissions",
            data=packed.getvalue(),
            headers={
                "Authorization": f"token {kore.token_for(f'u{sub}')}",
                "Content-Type": "application/x-tar",
            },
            timeout=60,
        )
        answer.raise_for_status()


def _collect(world: World, count: int) -> float:
    """Return the seconds of one collection."""
    target = world.teacher.folder / "submitted"
    shutil.rmtree(target, ignore_errors=True)
    settings: dict[str, Any] = {} if world.kind == "kore" else {"check_owner": False}
    began = time.perf_counter()
    world.teacher.exchange("Collect", world.course, "ps1", **settings)
    took = time.perf_counter() - began
    found = list(target.glob("*/ps1/data.csv"))
    if len(found) != count or any(path.stat().st_size != len(_DATA) for path in found):
        raise AssertionError(f"{world.kind} collected {len(found)} of {count}")
    return took


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        with make_kore(scratch / "kore") as kore, kore.serving() as url:
            folders = over_folders(scratch / "folders")
            _fill_folders(folders, scratch / "folders", options.submissions)
            through = over_kore(kore, url, scratch / "desks")
            _fill_kore(through, kore, url, scratch, options.submissions)
            times: dict[str, list[float]] = {"kore": [], "folders": []}
            for _ in range(options.runs):
                for world in (folders, through):
                    times[world.kind].append(_collect(world, options.submissions))
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    print(  # noqa: T201
        json.dumps(
            {
                "bench": "collect",
                "submissions": options.submissions,
                "bytes_each": len(_DATA),
                "runs": options.runs,
                "nbgrader_seconds": round(medians["folders"], 3),
                "kore_seconds": round(medians["kore"], 3),
                "all_seconds": {k: [round(t, 3) for t in v] for k, v in times.items()},
                "ratio": round(medians["kore"] / medians["folders"], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
