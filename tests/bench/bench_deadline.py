"""The hour of the deadline: many students hand work in, while Kore serves everyone else.

    python -m tests.bench.bench_deadline [STUDENTS] [SECONDS] [MEGABYTES]

One Kore as the hub runs it, with students that come at random moments of the time, each
with a connection of their own, through the client of the plug-in for nbgrader. ``/health``
is asked ten times a second, first idle, then during. Prints JSON; ``lost`` counts work that
is not there afterwards as it was sent, and must be 0.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

import requests

from kore.singleuser.exchange.client import KoreClient, RefusedError
from tests.support.archives import TAR, tar_of
from tests.support.kore_process import KoreProcess, kore_process

IDLE_SECONDS = 10


class Pulse:
    """Asks ``/health`` ten times a second, from a process that does nothing else."""

    def __init__(self, kore: KoreProcess) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._over = spawn.Event()
        self._ready = spawn.Event()
        self._times = spawn.SimpleQueue()
        self._process = spawn.Process(
            target=_beat, args=(f"{kore.url}/health", self._ready, self._over, self._times)
        )
        self.times: list[float] = []
        self.failed = 0

    def __enter__(self) -> Pulse:
        self._process.start()
        self._ready.wait()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self.times, self.failed = self._times.get()
        self._process.join()


def _beat(url: str, ready: Event, over: Event, results: SimpleQueue) -> None:
    client, times, failed = requests.Session(), [], 0
    client.get(url, timeout=30)
    ready.set()
    while not over.wait(0.1):
        begin = time.perf_counter()
        try:
            client.get(url, timeout=60).raise_for_status()
        except requests.RequestException:
            failed += 1
        times.append(time.perf_counter() - begin)
    results.put((times, failed))


def submit(
    kore: KoreProcess, course: str, user: str, archive: Path, at: float
) -> tuple[float, str]:
    """Hand work in at a moment (monotonic), as the students' servers do.

    Return how long it took, repetitions and all, and the submission's id.
    """
    pause = at - time.monotonic()
    if pause > 0:
        time.sleep(pause)
    begin = time.perf_counter()
    client = KoreClient(kore.url, f"token-{user}")
    try:
        known = client.submit(course, "ps1", archive, f"{user}-1").id
    except RefusedError as error:
        known = str(error)
    return time.perf_counter() - begin, known


def milliseconds(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    return {
        "p50": round(statistics.median(times) * 1000, 1),
        "p95": round(statistics.quantiles(times, n=20)[18] * 1000, 1),
        "max": round(max(times) * 1000, 1),
    }


def measure(
    kore: KoreProcess, students: int, seconds: float, megabytes: float
) -> dict[str, object]:
    """Run one deadline; return its figures."""
    course, teacher, users = kore.enrol(students)
    kore.start()
    desk = kore.session(teacher)
    url = f"{kore.url}/exchange/{course}"
    task = tar_of({"squares.ipynb": b"{}"})
    desk.put(f"{url}/assignments/ps1", data=task, headers=TAR, timeout=30).raise_for_status()
    work = {user: kore.folder / f"{user}.tar" for user in users}
    for archive in work.values():
        archive.write_bytes(tar_of({"squares.ipynb": os.urandom(int(megabytes * 1e6))}))
    with Pulse(kore) as idle:
        time.sleep(IDLE_SECONDS)
    start = time.monotonic() + 1
    with Pulse(kore) as during, ThreadPoolExecutor(students) as pool:
        sent = {
            user: pool.submit(
                submit, kore, course, user, archive, start + random.uniform(0, seconds)
            )
            for user, archive in work.items()
        }
        answers = {user: future.result() for user, future in sent.items()}
    wall = time.monotonic() - start
    listed = desk.get(f"{url}/submissions", timeout=60).json()["submissions"]
    there = {s["user"]: s for s in listed}
    lost = 0
    for user, archive in work.items():
        found = there.get(user)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if not found or found["id"] != answers[user][1] or found["sha256"] != digest:
            lost += 1
            continue
        back = desk.get(f"{url}/submissions/{found['id']}", timeout=60).content
        lost += back != archive.read_bytes()
    calm, busy = milliseconds(idle.times), milliseconds(during.times)
    return {
        "students": students,
        "megabytes_each": megabytes,
        "seconds": round(wall, 1),
        "lost": lost,
        "submissions": len(listed),
        "submit_ms": milliseconds([seconds for seconds, _ in answers.values()]),
        "health_idle_ms": calm,
        "health_during_ms": busy,
        "health_p95_ratio": round(busy["p95"] / calm["p95"], 2),
        "health_failed": idle.failed + during.failed,
    }


def main(argv: list[str]) -> int:
    """Measure and print; return 1 where work was lost."""
    students = int(argv[0]) if argv else 300
    seconds = float(argv[1]) if len(argv) > 1 else 60
    megabytes = float(argv[2]) if len(argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder, kore_process(Path(folder), KoreProcess) as kore:
        figures = measure(kore, students, seconds, megabytes)
    print(json.dumps(figures, indent=1))  # noqa: T201
    return 1 if figures["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
