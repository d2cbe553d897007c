"""The hour of the deadline: many students hand work in, while Kore serves everybody else.

    python -m tests.bench.bench_deadline [STUDENTS] [SECONDS] [MEGABYTES]

One Kore as the hub runs it, with students that come at random moments of the time, each
with a connection of their own. ``/health`` is asked ten times a second, first idle, then
during. Prints JSON; ``lost`` counts acknowledged or refused work that is not there
afterwards as it was sent, and must be 0.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.archives import TAR, tar_of
from tests.support.kore_process import KoreProcess, kore_process

IDLE_SECONDS = 10


class Pulse:
    """Asks ``/health`` ten times a second, and keeps how long the answers took."""

    def __init__(self, kore: KoreProcess) -> None:
        self._kore = kore
        self._over = threading.Event()
        self.times: list[float] = []
        self.failed = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        client = self._kore.session("pulse")
        while not self._over.wait(0.1):
            begin = time.perf_counter()
            try:
                client.get(f"{self._kore.url}/health", timeout=30).raise_for_status()
            except OSError:
                self.failed += 1
            self.times.append(time.perf_counter() - begin)


def submit(
    kore: KoreProcess, course: str, user: str, archive: bytes, at: float
) -> tuple[float, str]:
    """Hand work in at a moment (monotonic); return how long it took and the submission's id."""
    pause = at - time.monotonic()
    if pause > 0:
        time.sleep(pause)
    begin = time.perf_counter()
    with kore.session(user) as client:
        answer = client.post(
            f"{kore.url}/exchange/{course}/assignments/ps1/submissions",
            data=archive,
            headers={**TAR, "Idempotency-Key": f"{user}-1"},
            timeout=120,
        )
    return time.perf_counter() - begin, answer.json()["id"] if answer.ok else answer.text[:200]


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
    work = {
        user: tar_of({"squares.ipynb": os.urandom(int(megabytes * 1e6 / 16)) * 16})
        for user in users
    }
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
        digest = hashlib.sha256(archive).hexdigest()
        if not found or found["id"] != answers[user][1] or found["sha256"] != digest:
            lost += 1
            continue
        back = desk.get(f"{url}/submissions/{found['id']}", timeout=60).content
        lost += back != archive
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
    with tempfile.TemporaryDirectory() as folder, kore_process(Path(folder)) as kore:
        figures = measure(kore, students, seconds, megabytes)
    print(json.dumps(figures, indent=1))  # noqa: T201
    return 1 if figures["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
